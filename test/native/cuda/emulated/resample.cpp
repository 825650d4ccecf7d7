// The kernels of image/resample_cuda.cu for the CPU.
#include "image/resample_cuda.cu"
