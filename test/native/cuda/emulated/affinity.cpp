// The kernels of attention/affinity_cuda.cu for the CPU.
#include "attention/affinity_cuda.cu"
