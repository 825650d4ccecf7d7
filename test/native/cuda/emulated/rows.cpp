// The kernels of layers/rows_cuda.cu for the CPU.
#include "layers/rows_cuda.cu"
