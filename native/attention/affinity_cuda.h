// D-Attn on a CUDA device: the CUDA face of affinity.h. Cosines, mask, softmax and sums are float32 from
// features in half precision whatever the format of the values: rows of length one lose 2^-12 of each element
// there, and a cosine near the mask's threshold falls on one side of it.
#pragma once

#include <cstdint>

#include "cuda/element.h"

namespace crane::attention {

// Device memory, aligned to 16 bytes; strides in elements, multiples of 8.
struct AffinityCuda {
  const void* features = nullptr;  // fp16 [pictures, rows, depth] contiguous, depth a multiple of 64
  int64_t pictures = 0;
  int64_t rows = 0;
  int64_t depth = 0;
  const double* means = nullptr;  // [pictures]: mean cosine
  double beta = 0;
  float gain = 0;
  bool keeps_self = true;        // what a row does that keeps nothing: itself, or NaN
  const void* values = nullptr;  // [pictures, rows, width], width a multiple of 8
  int64_t values_picture_stride = 0;
  int64_t values_row_stride = 0;
  int64_t width = 0;
  void* dst = nullptr;  // [pictures, rows, width] contiguous
};

// Enqueues dst = masked softmax(cosines) values on a cudaStream_t; `element` is the format of values and dst.
// Thread-safe. Errors: E_DEVICE when the launch fails.
void affinity_cuda(const AffinityCuda& job, cuda::Element element, void* stream);

}  // namespace crane::attention
