#include "kernels/linear_panels.h"

#include <algorithm>
#include <bit>
#include <vector>

#include "kernels/bfloat16.h"
#include "kernels/int8.h"

namespace crane::kernels {
namespace {

constexpr int64_t k_stretch = 16;  // cells of a cache line: each line of the packed weights is written once

// Columns [column, column + columns) of weight [out, depth] in a panel of int8.
void pack_int8(const LinearFace& face, const float* weight, int64_t out, int64_t depth, int64_t column,
               std::span<const int32_t> outliers, float* dst) {
  const int64_t cells = face.cells(depth) - 2;
  std::vector<float> row(static_cast<size_t>(4 * cells));
  for (int64_t c = 0; c < face.columns; ++c) {
    const bool is_there = column + c < out;
    const float* from = weight + (column + c) * depth;
    float largest = 0;
    std::fill(row.begin(), row.end(), 0.0F);
    if (is_there) std::copy(from, from + depth, row.begin());
    for (const int32_t k : outliers) row[k] = 0;
    for (int64_t k = 0; k < depth; ++k) {
      const float size = std::abs(row[k]);
      largest = size <= largest ? largest : size;  // NaN stays
      if (std::isnan(largest)) break;
    }
    const float step = weight_step(largest);
    int32_t sum = 0;
    for (int64_t cell = 0; cell < cells; ++cell) {
      uint32_t bits = 0;
      for (int64_t v = 0; v < 4; ++v) {
        const int32_t q = int8_of_weight(row[4 * cell + v], step);
        sum += q;
        bits |= (static_cast<uint32_t>(q) & 0xFFU) << (8 * v);
      }
      dst[face.place(cell, c)] = std::bit_cast<float>(bits);
    }
    float* beside = dst + cells * face.columns + c;
    beside[0] = step;
    beside[face.columns] = std::bit_cast<float>(sum);
    for (size_t i = 0; i < outliers.size(); ++i) {
      beside[(2 + static_cast<int64_t>(i)) * face.columns] = is_there ? from[outliers[i]] : 0.0F;
    }
  }
}

}  // namespace

void LinearFace::pack(const float* weight, int64_t out, int64_t depth, int64_t first, int64_t last,
                      float* packed, std::span<const int32_t> outliers) const {
  if (is_int8()) {
    const int64_t panel = columns * cells(depth, static_cast<int64_t>(outliers.size()));
    for (int64_t p = first; p < last; ++p) {
      pack_int8(*this, weight, out, depth, p * columns, outliers, packed + p * panel);
    }
    return;
  }
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
        for (int64_t k = from; k < to; ++k) dst[place(k, c)] = column < out ? cell(row, k) : 0.0F;
      }
    }
  }
}

}  // namespace crane::kernels
