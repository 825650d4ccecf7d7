// The products of attention_panels_kernel.h in AMX's tiles, in bfloat16; included by its face only.
#pragma once

#include "kernels/amx_tiles.h"
#include "kernels/attention_panels.h"
#include "kernels/vec_avx512bf16.h"

namespace crane::kernels {
namespace {

struct TileProducts {
  using Reg = Vec::Reg;
  static constexpr int64_t k_lanes = Vec::k_lanes;
  static constexpr int64_t k_width = k_head_width;
  static constexpr int64_t k_cells = k_width / 2;
  static constexpr int64_t k_panel = 2 * k_tile_side;
  static constexpr int64_t k_panel_bytes = k_panel * 4;
  static constexpr int64_t k_keys = k_tile_side;
  static constexpr int64_t k_value_keys = 2 * k_tile_side;
  static constexpr bool k_runs_ahead = true;
  static constexpr bool k_sums_lie_across = true;
  using Session = Tiles;

  // Both halves of the width for both halves of the panel.
  static void use_queries(const float* queries) {
    load_tile<4>(queries, k_panel_bytes);
    load_tile<5>(queries + k_tile_side, k_panel_bytes);
    load_tile<6>(queries + k_tile_side * k_panel, k_panel_bytes);
    load_tile<7>(queries + k_tile_side * k_panel + k_tile_side, k_panel_bytes);
  }

  static void scores(int members, const float* queries, const float* const* members_keys, int64_t first_key,
                     int64_t /*valid*/, float* dst, Reg (&/*highest*/)[2]) {
    clear_tile<0>();
    clear_tile<1>();
    for (int m = 0; m < members; ++m) {
      if (members > 1) use_queries(queries + m * k_cells * k_panel);
      const float* keys = members_keys[m] + first_key * k_cells;
      load_tile<2>(keys, k_cells * 4);
      load_tile<3>(keys + k_tile_side, k_cells * 4);
      add_bfloat16_product<0, 2, 4>();
      add_bfloat16_product<1, 2, 5>();
      add_bfloat16_product<0, 3, 6>();
      add_bfloat16_product<1, 3, 7>();
    }
    store_tile<0>(dst, k_panel_bytes);
    store_tile<1>(dst + k_tile_side, k_panel_bytes);
  }

  // [keys, 64] -> [padded_keys / 32][64][16 cells along the keys].
  static void gather_values(const float* src, int64_t stride, int64_t count, int64_t padded_keys,
                            float* own) {
    for (int64_t j = 0; j < padded_keys; j += k_value_keys, own += k_width * k_tile_side) {
      for (int64_t c = 0; c < k_width; c += k_lanes) {
        Reg tile[Vec::k_lanes];
        for (int64_t i = 0; i < k_lanes; ++i) {
          const int64_t key = j + 2 * i;
          const Reg x[2] = {key < count ? Vec::load(src + key * stride + c) : Vec::zero(),
                            key + 1 < count ? Vec::load(src + (key + 1) * stride + c) : Vec::zero()};
          tile[i] = PairCells::across(x);
        }
        Vec::transpose(tile);
        for (int64_t i = 0; i < k_lanes; ++i) Vec::store(own + (c + i) * k_tile_side, tile[i]);
      }
    }
  }

  // sums [channel][query] += values [steps][channel][16] times weights [cells][query].
  static void add_values(const float* weights, const float* values, int64_t cells, bool is_first,
                         float* sums) {
    for (int64_t channel = 0; channel < k_width; channel += k_panel) {
      float* first = sums + channel * k_panel;
      float* second = first + k_tile_side * k_panel;
      if (is_first) {
        clear_tile<0>();
        clear_tile<1>();
        clear_tile<2>();
        clear_tile<3>();
      } else {
        load_tile<0>(first, k_panel_bytes);
        load_tile<1>(first + k_tile_side, k_panel_bytes);
        load_tile<2>(second, k_panel_bytes);
        load_tile<3>(second + k_tile_side, k_panel_bytes);
      }
      const float* value = values + channel * k_tile_side;
      for (int64_t cell = 0; cell < cells; cell += k_tile_side, value += k_width * k_tile_side) {
        load_tile<4>(value, k_tile_row_bytes);
        load_tile<6>(weights + cell * k_panel, k_panel_bytes);
        add_bfloat16_product<0, 4, 6>();
        load_tile<7>(weights + cell * k_panel + k_tile_side, k_panel_bytes);
        add_bfloat16_product<1, 4, 7>();
        load_tile<5>(value + k_tile_side * k_tile_side, k_tile_row_bytes);
        add_bfloat16_product<2, 5, 6>();
        add_bfloat16_product<3, 5, 7>();
      }
      store_tile<0>(first, k_panel_bytes);
      store_tile<1>(first + k_tile_side, k_panel_bytes);
      store_tile<2>(second, k_panel_bytes);
      store_tile<3>(second + k_tile_side, k_panel_bytes);
    }
  }

  // [channel][query] -> [query][channel], in place.
  static void turn(float* sums) {
    alignas(64) float rows[k_panel * k_width];
    for (int64_t channel = 0; channel < k_width; channel += k_lanes) {
      for (int64_t query = 0; query < k_panel; query += k_lanes) {
        Reg tile[Vec::k_lanes];
        for (int64_t i = 0; i < k_lanes; ++i) tile[i] = Vec::load(sums + (channel + i) * k_panel + query);
        Vec::transpose(tile);
        for (int64_t i = 0; i < k_lanes; ++i) Vec::store(rows + (query + i) * k_width + channel, tile[i]);
      }
    }
    for (int64_t i = 0; i < k_panel * k_width; i += k_lanes) Vec::store(sums + i, Vec::load(rows + i));
  }
};

}  // namespace
}  // namespace crane::kernels
