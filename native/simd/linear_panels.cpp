#include "simd/linear_panels.h"

namespace crane::simd {
namespace {

constexpr int64_t k_stretch = 16;  // floats of a cache line: each line of the weights is read once

}  // namespace

void LinearFace::pack(const float* weight, int64_t out, int64_t depth, int64_t first, int64_t last,
                      float* packed) const {
  for (int64_t panel = first; panel < last; ++panel) {
    float* dst = packed + panel * depth * columns;
    for (int64_t from = 0; from < depth; from += k_stretch) {
      const int64_t to = from + k_stretch < depth ? from + k_stretch : depth;
      for (int64_t c = 0; c < columns; ++c) {
        const int64_t column = panel * columns + c;
        const float* row = weight + column * depth;
        for (int64_t k = from; k < to; ++k) dst[k * columns + c] = column < out ? row[k] : 0.0F;
      }
    }
  }
}

}  // namespace crane::simd
