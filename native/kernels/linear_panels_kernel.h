// The algorithm of linear_panels.h over a vector type V and what a cell of four bytes holds (Cells); included
// by its faces only.
//
// A block of rows is packed as [panel][cells][k_rows] (normalised on the way where asked for) so that it
// stays in the second-level cache; against it run the packed weights, panel by panel, and a tile of k_rows x
// 2 vectors of results stays in registers. Depth is taken in stretches of at most k_stretch cells; partial
// sums meet in dst.
#pragma once

#include "kernels/cells.h"
#include "kernels/linear_rows.h"
#include "kernels/scratch.h"
#include "kernels/tile_product.h"
#include "kernels/tuning.h"

namespace crane::kernels {
namespace {

template <typename V, typename Cells, int k_rows, int k_block_panels>
class LinearKernel : public LinearRows<V, k_rows> {
  using Base = LinearRows<V, k_rows>;
  using Base::end_;
  using Base::first_;
  using Base::job_;
  using Base::k_lanes;
  using typename Base::Lanes;
  using typename Base::Reg;
  static constexpr int64_t k_values = Cells::k_values;
  static constexpr int64_t k_stretch = 1024;
  static constexpr int64_t k_block = int64_t{k_rows} * k_block_panels;

 public:
  using Base::k_columns;

  static void run(const LinearPanels& job, const PanelRange& range) {
    thread_local Scratch scratch;
    const int64_t cells = (job.depth + k_values - 1) / k_values;
    const int64_t stretches = (cells + k_stretch - 1) / k_stretch;
    const int64_t stretch = (cells + stretches - 1) / stretches;
    LinearKernel kernel(job, scratch.floats(k_block * stretch + k_lanes + 2 * k_block));
    for (int64_t panel = range.first_rows; panel < range.last_rows; panel += k_block_panels) {
      const int64_t last =
          panel + k_block_panels < range.last_rows ? panel + k_block_panels : range.last_rows;
      const int64_t end = last * k_rows < job.rows ? last * k_rows : job.rows;
      kernel.use_rows(panel * k_rows, end);
      for (int64_t from = 0; from < cells; from += stretch) {
        kernel.multiply(from, from + stretch < cells ? from + stretch : cells, range);
      }
    }
  }

 private:
  LinearKernel(const LinearPanels& job, float* memory) : Base(job, memory), packed_(memory + 2 * k_block) {}

  // Cells [from, to) of the depth.
  void multiply(int64_t from, int64_t to, const PanelRange& range) {
    const int64_t count = to - from;
    for (int64_t r = first_; r < end_; r += k_rows) {
      pack(r, from * k_values, to * k_values, packed_ + (r - first_) * count);
    }
    if (tuning().weights_ahead == 0) {
      multiply_packed<false>(from, count, range);
    } else {
      multiply_packed<true>(from, count, range);
    }
  }

  template <bool k_asks_ahead>
  void multiply_packed(int64_t from, int64_t count, const PanelRange& range) {
    const int64_t all = (job_.depth + k_values - 1) / k_values;
    const int64_t ahead = tuning().weights_ahead * k_columns;
    for (int64_t panel = range.first_columns; panel < range.last_columns; ++panel) {
      const int64_t column = panel * k_columns;
      const float* weight = job_.weight + (panel * all + from) * k_columns;
      float* dst = this->dst_of(column);
      for (int64_t r = first_; r < end_; r += k_rows) {
        if constexpr (k_asks_ahead) this->ask_for_results(r, dst + r * job_.dst_row_stride);
        Reg sum[k_rows][2];
        tile_product<V, k_rows, k_asks_ahead>(packed_ + (r - first_) * count, weight, count, sum, Cells::dot,
                                              ahead);
        this->finish(sum, r, column, from == 0, from + count == all, dst + r * job_.dst_row_stride);
      }
    }
  }

  // Rows [first, first + k_rows) and the depth [from, to) as [cells][k_rows]; rows behind the last are zero.
  void pack(int64_t first, int64_t from, int64_t to, float* dst) const {
    for (int64_t k = from; k < to; k += k_lanes * k_values) {
      Lanes parts[k_values];
      for (int v = 0; v < k_values; ++v) parts[v] = this->lanes_at(k + v * k_lanes);
      Reg tile[V::k_lanes];
      for (int i = 0; i < V::k_lanes; ++i) {
        if (i >= k_rows || first + i >= end_) {
          tile[i] = V::zero();
          continue;
        }
        Reg x[k_values];
        for (int v = 0; v < k_values; ++v) x[v] = this->values_of(first + i, parts[v]);
        tile[i] = Cells::from(x);
      }
      V::transpose(tile);
      const int64_t left = (to - k) / k_values;
      // Whole vectors: the lanes behind a row of k_rows are overwritten by the next one.
      for (int64_t i = 0; i < left && i < k_lanes; ++i) {
        V::store(dst + ((k - from) / k_values + i) * k_rows, tile[i]);
      }
    }
  }

  float* packed_;  // cells
};

}  // namespace
}  // namespace crane::kernels
