// The table of the kernels that are linked with this program: compiled by nvcc, or for the CPU in tests.
// Included where it is known that they are.
#pragma once

#include "attention/affinity_cuda.h"
#include "attention/self_correlation_cuda.h"
#include "cuda/kernels.h"
#include "image/gaussian_cuda.h"
#include "image/resample_cuda.h"
#include "layers/rows_cuda.h"

namespace crane::cuda {

constexpr Kernels linked_kernels(bool is_emulated) {
  return {
      .self_correlation = attention::self_correlation_cuda,
      .affinity = attention::affinity_cuda,
      .normalise_rows = layers::normalise_rows_cuda,
      .add_rows = layers::add_rows_cuda,
      .activate = layers::activate_cuda,
      .resample = image::resample_cuda,
      .normalise = image::normalise_cuda,
      .gaussian_blur = image::gaussian_blur_cuda,
      .is_emulated = is_emulated,
  };
}

}  // namespace crane::cuda
