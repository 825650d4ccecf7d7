// The kernels of image/gaussian_cuda.cu for the CPU.
#include "image/gaussian_cuda.cu"
