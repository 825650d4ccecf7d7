// E-Attn on a CUDA device in 16-bit formats: the CUDA face of self_correlation.h. Scores, softmax and sums
// are float32; the exponentials are rounded to the format before the product with v, as q, k and v are.
#pragma once

#include <cstdint>

#include "cuda/element.h"

namespace crane::attention {

// Heads of 64 elements in device memory. Strides in elements, multiples of 8; data aligned to 16 bytes.
struct HeadRowsCuda {
  const void* data = nullptr;
  int64_t picture_stride = 0;
  int64_t row_stride = 0;
  int64_t head_stride = 0;
};

struct SelfCorrelationCuda {
  HeadRowsCuda members[3];  // what is correlated with itself
  int member_count = 0;
  // false: one softmax for each member, added. true: one softmax over the members side by side.
  bool is_joined = false;
  HeadRowsCuda values;
  int64_t pictures = 0;
  int64_t heads = 0;
  int64_t rows = 0;
  float scale = 0;  // c, above 0
  // [pictures, rows, heads, 64], other places than any input
  void* dst = nullptr;
  int64_t dst_picture_stride = 0;
  int64_t dst_row_stride = 0;
};

// Enqueues dst = [sum of softmaxes] v on a cudaStream_t. Thread-safe. Errors: E_DEVICE when the launch fails.
void self_correlation_cuda(const SelfCorrelationCuda& job, cuda::Element element, void* stream);

}  // namespace crane::attention
