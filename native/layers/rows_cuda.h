// What surrounds the matrix products of a frozen block on a CUDA device: float32 streams, 16-bit operands.
#pragma once

#include <cstdint>

#include "cuda/element.h"

namespace crane::layers {

inline constexpr int64_t k_widest_row_cuda = 2048;

// Device memory aligned to 16 bytes; strides in elements and the width are multiples of 4.
struct NormaliseRowsCuda {
  const float* src = nullptr;  // [rows, width]
  int64_t src_stride = 0;
  const float* weight = nullptr;  // [width]
  const float* bias = nullptr;    // [width]
  float eps = 0;
  void* dst = nullptr;  // [rows, width] contiguous
  int64_t rows = 0;
  int64_t width = 0;  // at most k_widest_row_cuda
};

struct AddRowsCuda {
  float* stream = nullptr;  // [rows, width]
  int64_t stream_stride = 0;
  const void* update = nullptr;  // [rows, width] contiguous
  int64_t rows = 0;
  int64_t width = 0;
};

struct ActivateCuda {
  void* values = nullptr;  // [count], a multiple of 4, in place
  int64_t count = 0;
  bool is_quick = false;  // x sigmoid(1.702 x), else the exact GELU
};

// Each enqueues on a cudaStream_t and is thread-safe. Errors: E_DEVICE when the launch fails.

// dst = LayerNorm(src), computed in float32 with the two-pass variance, rounded once.
void normalise_rows_cuda(const NormaliseRowsCuda& job, cuda::Element element, void* stream);
// stream += update.
void add_rows_cuda(const AddRowsCuda& job, cuda::Element element, void* stream);
// values = activation(values), computed in float32.
void activate_cuda(const ActivateCuda& job, cuda::Element element, void* stream);

}  // namespace crane::layers
