// The kernels of attention/self_correlation_cuda.cu for the CPU.
#include "attention/self_correlation_cuda.cu"
