// The products of attention_panels_kernel.h in vector registers; included by its faces only.
#pragma once

#include "kernels/attention_panels.h"
#include "kernels/tile_product.h"

namespace crane::kernels {
namespace {

// keys x 2 vectors of scores, or value_rows queries x value_vectors vectors of channels, are what a face's
// registers hold.
template <typename V, typename Cells, int keys, int value_rows, int value_vectors>
struct VectorProducts {
  using Reg = typename V::Reg;
  static constexpr int64_t k_lanes = V::k_lanes;
  static constexpr int64_t k_values = Cells::k_values;
  static constexpr int64_t k_width = k_head_width;
  static constexpr int64_t k_cells = k_width / k_values;
  static constexpr int64_t k_panel = 2 * k_lanes;
  static constexpr int64_t k_keys = keys;
  static constexpr int64_t k_value_keys = k_values;
  static constexpr bool k_runs_ahead = false;
  static constexpr bool k_sums_lie_across = false;
  struct Session {};

  static void use_queries(const float* /*queries*/) {}

  // The maxima are those of the first `valid` keys.
  static __attribute__((noinline)) void scores(int members, const float* queries,
                                               const float* const* members_keys, int64_t first_key,
                                               int64_t valid, float* dst, Reg (&highest)[2]) {
    Reg sum[keys][2];
    set_zero<V, keys>(sum);
    for (int m = 0; m < members; ++m) {
      add_tile_product<V, keys>(members_keys[m] + first_key * k_cells, /*step=*/1, /*pitch=*/k_cells,
                                queries + m * k_cells * k_panel, k_cells, sum, Cells::dot);
    }
#pragma GCC unroll 16
    for (int r = 0; r < keys; ++r) {
      V::store(dst + r * k_panel, sum[r][0]);
      V::store(dst + r * k_panel + k_lanes, sum[r][1]);
    }
    if (valid == keys) {
#pragma GCC unroll 16
      for (int r = 0; r < keys; ++r) {
        for (int h = 0; h < 2; ++h) highest[h] = V::max(sum[r][h], highest[h]);
      }
    } else {
      for (int64_t r = 0; r < valid; ++r) {
        for (int h = 0; h < 2; ++h) highest[h] = V::max(V::load(dst + r * k_panel + h * k_lanes), highest[h]);
      }
    }
  }

  // [keys, 64] -> [padded_keys / k_values][64].
  static void gather_values(const float* src, int64_t stride, int64_t count, int64_t padded_keys,
                            float* own) {
    for (int64_t j = 0; j < padded_keys; j += k_values, src += k_values * stride, own += k_width) {
      for (int64_t c = 0; c < k_width; c += k_lanes) {
        Reg x[k_values];
        for (int64_t v = 0; v < k_values; ++v)
          x[v] = j + v < count ? V::load(src + v * stride + c) : V::zero();
        V::store(own + c, Cells::across(x));
      }
    }
  }

  // sums [query][64] += weights [cells][query] times values [cells][64].
  static void add_values(const float* weights, const float* values, int64_t cells, bool is_first,
                         float* sums) {
    for (int64_t channel = 0; channel < k_width; channel += value_vectors * k_lanes) {
      constexpr int64_t parts = (k_panel + value_rows - 1) / value_rows;
      int64_t row = 0;
      for (int64_t part = 0; part < parts; ++part) {
        const ResultRows dst{sums + row * k_width + channel, k_width, is_first};
        // Parts of value_rows and value_rows - 1 rows that add up to the panel.
        if (part < k_panel - parts * (value_rows - 1)) {
          product<value_rows>(weights + row, values + channel, cells, dst);
          row += value_rows;
        } else {
          product<value_rows - 1>(weights + row, values + channel, cells, dst);
          row += value_rows - 1;
        }
      }
    }
  }

 private:
  template <int k_rows>
  static __attribute__((noinline)) void product(const float* weights, const float* values, int64_t cells,
                                                const ResultRows& dst) {
    add_weighted_rows<V, k_rows, value_vectors>(
        weights, k_panel, cells, [&](int64_t j) { return values + j * k_width; }, dst, Cells::dot);
  }
};

}  // namespace
}  // namespace crane::kernels
