#include "kernels/linear_panels.h"

#include "kernels/bfloat16.h"

namespace crane::kernels {
namespace {

constexpr int64_t k_stretch = 16;  // cells of a cache line: each line of the packed weights is written once

}  // namespace

void LinearFace::pack(const float* weight, int64_t out, int64_t depth, int64_t first, int64_t last,
                      float* packed) const {
  const int64_t all = cells(depth);
  const auto cell = [&](const float* row, int64_t k) {
    if (k * cell_values >= depth) return 0.0F;
    if (cell_values == 1) return row[k];
    return bfloat16_pair(row[2 * k], 2 * k + 1 < depth ? row[2 * k + 1] : 0.0F);
  };
  for (int64_t panel = first; panel < last; ++panel) {
    float* dst = packed + panel * all * columns;
    for (int64_t from = 0; from < all; from += k_stretch) {
      const int64_t to = from + k_stretch < all ? from + k_stretch : all;
      for (int64_t c = 0; c < columns; ++c) {
        const int64_t column = panel * columns + c;
        const float* row = weight + column * depth;
        for (int64_t k = from; k < to; ++k) dst[k * columns + c] = column < out ? cell(row, k) : 0.0F;
      }
    }
  }
}

}  // namespace crane::kernels
