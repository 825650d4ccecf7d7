// The algorithm of linear_panels.h in int8 over a vector type V and how its cells of four values are made and
// multiplied (Bytes); included by its faces only.
//
// A block of rows becomes whole numbers, each row by its own scale, and is packed panel by panel; a tile of
// k_rows x 2 vectors of sums stays in registers over the whole depth, is scaled to floats there, and gets the
// outliers' products. From there on it is any linear layer's tile.
//
// Bytes is a type with
//   from(x[4], inverse, zero)      vectors that follow each other in a row -> a vector of the row's cells
//   dot(u, q, sum)                 sum + the products of each cell's values
//   floats(sum, zero, sums, step)  (sum - zero sums) as floats, times step
//
// Tiles says how a panel lies and is multiplied: VectorTiles, or a type for other instructions with
//   k_cells_together               a panel has a multiple of so many cells
//   lay(tile, count, dst)          vectors of k_lanes cells of each row -> `count` cells of a panel
//   product(rows, weight, cells, sum)
#pragma once

#include "kernels/cells.h"
#include "kernels/int8_rows.h"
#include "kernels/scratch.h"
#include "kernels/tile_product.h"

namespace crane::kernels {
namespace {

// A panel as [cells][k_rows].
template <typename V, typename Bytes, int k_rows>
struct VectorTiles {
  using Reg = typename V::Reg;
  static constexpr int64_t k_cells_together = 1;

  static void lay(Reg (&tile)[V::k_lanes], int64_t count, float* dst) {
    V::transpose(tile);
    // Whole vectors: the lanes behind a row of k_rows are overwritten by the next one.
    for (int64_t i = 0; i < count; ++i) V::store(dst + i * k_rows, tile[i]);
  }
  static inline __attribute__((always_inline)) void product(const float* rows, const float* weight,
                                                            int64_t cells, Reg (&sum)[k_rows][2]) {
    tile_product<V, k_rows>(rows, weight, cells, sum, Bytes::dot);
  }
};

template <typename V, typename Bytes, int k_rows, int64_t k_block_bytes,
          typename Tiles = VectorTiles<V, Bytes, k_rows>>
class Int8LinearKernel : public Int8Rows<V, k_rows> {
  using Base = Int8Rows<V, k_rows>;
  using Base::end_;
  using Base::first_;
  using Base::job_;
  using Base::k_lanes;
  using Base::outliers_;
  using Base::scales_;
  using typename Base::Reg;

 public:
  using Base::k_columns;

  static void run(const LinearPanels& job, const PanelRange& range) {
    thread_local Scratch scratch;
    const int64_t cells = cells_of(job);
    const int64_t fitting = k_block_bytes / 4 / (cells * k_rows);
    const int64_t panels = fitting < 1 ? 1 : fitting > k_most_panels ? k_most_panels : fitting;
    Int8LinearKernel kernel(job, panels, scratch.floats(floats_for(job, panels)));
    for (int64_t panel = range.first_rows; panel < range.last_rows; panel += panels) {
      const int64_t last = panel + panels < range.last_rows ? panel + panels : range.last_rows;
      kernel.use_rows(panel * k_rows, last * k_rows < job.rows ? last * k_rows : job.rows);
      for (int64_t r = kernel.first_; r < kernel.end_; r += k_rows) kernel.pack(r);
      for (int64_t c = range.first_columns; c < range.last_columns; ++c) kernel.multiply(c);
    }
  }

 private:
  static constexpr int64_t k_most_panels = 32;

  static int64_t cells_of(const LinearPanels& job) {
    constexpr int64_t step = 4 * Tiles::k_cells_together;
    return (job.depth + step - 1) / step * Tiles::k_cells_together;
  }

  Int8LinearKernel(const LinearPanels& job, int64_t panels, float* memory)
      : Base(job, panels, memory),
        cells_(cells_of(job)),
        packed_(memory + Base::needed(job, panels)),
        rows_(packed_ + panels * k_rows * cells_ + k_lanes) {}

  static int64_t floats_for(const LinearPanels& job, int64_t panels) {
    return Base::needed(job, panels) + panels * k_rows * cells_of(job) + k_lanes +
           k_rows * Base::row_floats(job);
  }

  // Rows [first, first + k_rows); rows behind the last are zero.
  void pack(int64_t first) {
    const int64_t pitch = Base::row_floats(job_);
    for (int64_t r = 0; r < k_rows; ++r) this->measure_row(first + r, rows_ + r * pitch);
    float* dst = packed_ + (first - first_) * cells_;
    for (int64_t k = 0; k < cells_; k += k_lanes) {
      Reg tile[V::k_lanes];
      for (int i = 0; i < V::k_lanes; ++i) {
        if (i >= k_rows) {
          tile[i] = V::zero();
          continue;
        }
        const RowScale& scale = scales_[first - first_ + i];
        const float* row = rows_ + i * pitch + 4 * k;
        Reg x[4];
        for (int v = 0; v < 4; ++v) x[v] = V::load(row + v * k_lanes);
        tile[i] = Bytes::from(x, scale.inverse, scale.zero);
      }
      Tiles::lay(tile, cells_ - k < k_lanes ? cells_ - k : k_lanes, dst + k * k_rows);
    }
  }

  void multiply(int64_t panel) const {
    const int64_t column = panel * k_columns;
    const float* weight = job_.weight + panel * (cells_ + 2 + job_.outlier_count) * k_columns;
    const float* beside = weight + cells_ * k_columns;
    float* dst = this->dst_of(column);
    for (int64_t r = first_; r < end_; r += k_rows) {
      Reg sum[k_rows][2];
      Tiles::product(packed_ + (r - first_) * cells_, weight, cells_, sum);
      for (int h = 0; h < 2; ++h) {
        const Reg steps = V::load(beside + h * k_lanes);
        const Reg sums = V::load(beside + k_columns + h * k_lanes);
#pragma GCC unroll 16
        for (int i = 0; i < k_rows; ++i) {
          const RowScale& scale = scales_[r - first_ + i];
          sum[i][h] = Bytes::floats(sum[i][h], scale.zero, sums, V::mul(V::set1(scale.step), steps));
        }
      }
      add_tile_product<V, k_rows>(outliers_ + (r - first_) * job_.outlier_count, k_rows, 1,
                                  beside + 2 * k_columns, job_.outlier_count, sum, FloatCells<V>::dot);
      this->finish(sum, r, column, /*is_first=*/true, /*is_last=*/true, dst + r * job_.dst_row_stride);
    }
  }

  int64_t cells_;
  float* packed_;  // cells
  float* rows_;    // [k_rows][row_floats]
};

}  // namespace
}  // namespace crane::kernels
