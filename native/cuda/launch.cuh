// Starting a kernel, written once, so that the tests can run kernels without a GPU.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>

#include "core/error.h"

namespace crane::cuda {

struct LaunchGrid {
  dim3 blocks;
  int threads;
  size_t block_bytes = 0;  // of dynamic shared memory, see block_memory()
};

// Our launches are checked where they are made; what fails later shows at the next synchronisation.
inline void check_status(cudaError_t status, const char* what) {
  check_input(status == cudaSuccess, "E_DEVICE", what, ": ", cudaGetErrorString(status));
}

// Runs kernel(job) on the stream.
template <typename Job>
void launch(const char* what, void (*kernel)(Job), const LaunchGrid& grid, void* stream, const Job& job) {
#ifdef CRANE_CUDA_EMULATED
  (void)what;
  (void)stream;
  emulated::run_grid(grid.blocks, grid.threads, grid.block_bytes, [&] { kernel(job); });
#else
  const auto* const entry = reinterpret_cast<const void*>(kernel);
  if (grid.block_bytes > 48 * 1024) {
    check_status(cudaFuncSetAttribute(entry, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                      static_cast<int>(grid.block_bytes)),
                 what);
  }
  void* arguments[] = {const_cast<Job*>(&job)};
  check_status(cudaLaunchKernel(entry, grid.blocks, dim3(static_cast<unsigned>(grid.threads)), arguments,
                                grid.block_bytes, static_cast<cudaStream_t>(stream)),
               what);
#endif
}

}  // namespace crane::cuda
