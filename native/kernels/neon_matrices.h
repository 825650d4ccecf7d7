// Panels of rows as NEON's matrix instructions multiply them; included by the *_neonbf16.cpp and
// *_neoni8mm.cpp files only, which alone are compiled for these instructions.
//
// One instruction adds two rows times two columns to 2 x 2 sums, over two cells of the depth of four bytes
// each (cells.h). So two cells of a row, and of a column of weights, lie together:
//   rows [pairs of cells][k_rows][2],   weights [pairs of cells][16][2]
#pragma once

#include "kernels/vec_neon.h"

namespace crane::kernels {
namespace {

// Multiply is a type with
//   add(sums, rows, columns)   registers of four: sums [row][column], rows and columns [one of two][cell]
template <typename Multiply, int k_rows>
struct MatrixTiles {
  using Reg = Vec::Reg;
  static constexpr int64_t k_cells_together = 2;
  static constexpr int64_t k_columns = 2 * Vec::k_lanes;
  static_assert(k_rows % 2 == 0 && k_rows <= Vec::k_lanes);

  // tile[r]: eight cells of row r, of which `count` are laid down, an even number.
  static void lay(const Reg (&tile)[Vec::k_lanes], int64_t count, float* dst) {
    for (int r = 0; r < k_rows; ++r) {
      const float32x2_t pairs[] = {vget_low_f32(tile[r].low), vget_high_f32(tile[r].low),
                                   vget_low_f32(tile[r].high), vget_high_f32(tile[r].high)};
      for (int64_t pair = 0; 2 * pair < count; ++pair) {
        vst1_f32(dst + (pair * k_rows + r) * k_cells_together, pairs[pair]);
      }
    }
  }

  // The whole product of a panel of rows and a panel of weights, in the order of the depth.
  static inline __attribute__((always_inline)) void product(const float* rows, const float* weight,
                                                            int64_t cells, Reg (&sum)[k_rows][2]) {
    constexpr int k_across = k_columns / 2;
    float32x4_t sums[k_rows / 2][k_across];
#pragma GCC unroll 4
    for (int r = 0; r < k_rows / 2; ++r) {
#pragma GCC unroll 8
      for (int c = 0; c < k_across; ++c) sums[r][c] = vdupq_n_f32(0);
    }
    for (int64_t pair = 0; pair < cells; pair += k_cells_together) {
      float32x4_t left[k_rows / 2];
#pragma GCC unroll 4
      for (int r = 0; r < k_rows / 2; ++r) left[r] = vld1q_f32(rows + 4 * r);
#pragma GCC unroll 8
      for (int c = 0; c < k_across; ++c) {
        const float32x4_t right = vld1q_f32(weight + 4 * c);
#pragma GCC unroll 4
        for (int r = 0; r < k_rows / 2; ++r) sums[r][c] = Multiply::add(sums[r][c], left[r], right);
      }
      rows += k_rows * k_cells_together;
      weight += k_columns * k_cells_together;
    }
#pragma GCC unroll 4
    for (int r = 0; r < k_rows / 2; ++r) {
#pragma GCC unroll 2
      for (int h = 0; h < 2; ++h) {
        const float32x4_t* part = sums[r] + 4 * h;
        sum[2 * r][h] = {vcombine_f32(vget_low_f32(part[0]), vget_low_f32(part[1])),
                         vcombine_f32(vget_low_f32(part[2]), vget_low_f32(part[3]))};
        sum[2 * r + 1][h] = {vcombine_f32(vget_high_f32(part[0]), vget_high_f32(part[1])),
                             vcombine_f32(vget_high_f32(part[2]), vget_high_f32(part[3]))};
      }
    }
  }
};

}  // namespace
}  // namespace crane::kernels
