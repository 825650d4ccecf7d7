// The table of the kernels compiled for the CPU.
#pragma once

#include "cuda/kernels.h"
#include "image/gaussian_cuda.h"

namespace crane::cuda {

// The emulator's order of events, see emulated/cuda_runtime.h.
void set_schedule(bool is_early);

inline Kernels emulated_kernels() {
  return {
      .self_correlation = attention::self_correlation_cuda,
      .affinity = attention::affinity_cuda,
      .normalise_rows = layers::normalise_rows_cuda,
      .add_rows = layers::add_rows_cuda,
      .activate = layers::activate_cuda,
      .resample = image::resample_cuda,
      .normalise = image::normalise_cuda,
      .gaussian_blur = image::gaussian_blur_cuda,
      .is_emulated = true,
  };
}

}  // namespace crane::cuda
