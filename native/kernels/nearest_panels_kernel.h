// The algorithm of nearest_panels.h over a vector type V; included by its faces only. Vectors run along the
// panel's rows, which are packed side by side; the bank is read as it lies, a tile of its rows at a time.
#pragma once

#include "kernels/nearest_panels.h"
#include "kernels/scratch.h"
#include "kernels/tile_product.h"

namespace crane::kernels {
namespace {

template <typename V, int k_bank_rows>
class NearestKernel {
  using Reg = typename V::Reg;
  static constexpr int64_t k_lanes = V::k_lanes;
  // Rows of the bank that stay in the second cache while all panels of a task pass by.
  static constexpr int64_t k_block = int64_t{18} * k_bank_rows;

 public:
  static constexpr int64_t k_panel = 2 * k_lanes;

  static void run(const NearestPanels& job, int64_t first, int64_t last) {
    if (job.bank_rows == 0 || first >= last) return;
    thread_local Scratch scratch;
    const int64_t panels = last - first;
    const int64_t floats = panels * job.depth * k_panel;
    const int64_t tile = k_bank_rows * job.depth;
    NearestKernel kernel(job);
    kernel.rows_ = scratch.floats(floats + panels * k_panel + tile);
    kernel.best_ = kernel.rows_ + floats;
    kernel.small_ = kernel.best_ + panels * k_panel;
    for (int64_t p = 0; p < panels; ++p) kernel.open(p, (first + p) * k_panel);
    for (int64_t from = 0; from < job.bank_rows; from += k_block) {
      const int64_t to = job.bank_rows - from < k_block ? job.bank_rows : from + k_block;
      for (int64_t p = 0; p < panels; ++p) kernel.compare(p, from, to);
    }
    for (int64_t p = 0; p < panels; ++p) kernel.close(p, (first + p) * k_panel);
  }

 private:
  explicit NearestKernel(const NearestPanels& job) : job_(job) {}

  float* panel_of(int64_t p) const { return rows_ + p * job_.depth * k_panel; }
  int64_t count_of(int64_t row) const { return job_.count - row < k_panel ? job_.count - row : k_panel; }

  void open(int64_t p, int64_t row) {
    const int64_t count = count_of(row);
    for (int64_t half = 0; half < k_panel; half += k_lanes) {
      const int64_t left = count > half ? count - half : 0;
      pack_side_by_side<V>(job_.rows + (row + half) * job_.depth, job_.depth, left, job_.depth, k_panel,
                           panel_of(p) + half);
    }
    float* best = best_ + p * k_panel;
    for (int64_t i = 0; i < k_panel; ++i) best[i] = i < count ? job_.best[row + i] : 0.0F;
  }

  void close(int64_t p, int64_t row) const {
    const float* best = best_ + p * k_panel;
    for (int64_t i = 0; i < count_of(row); ++i) job_.best[row + i] = best[i];
  }

  // The panel against rows [from, to) of the bank.
  __attribute__((noinline)) void compare(int64_t p, int64_t from, int64_t to) const {
    float* at = best_ + p * k_panel;
    Reg best[2] = {V::load(at), V::load(at + k_lanes)};
    for (int64_t row = from; row < to; row += k_bank_rows) {
      Reg product[k_bank_rows][2];
      set_zero<V, k_bank_rows>(product);
      add_tile_product<V, k_bank_rows>(tile(row, to), 1, job_.depth, panel_of(p), job_.depth, product,
                                       V::fma);
#pragma GCC unroll 16
      for (int r = 0; r < k_bank_rows; ++r) {
        for (int h = 0; h < 2; ++h) best[h] = V::max(product[r][h], best[h]);
      }
    }
    for (int h = 0; h < 2; ++h) V::store(at + h * k_lanes, best[h]);
  }

  // A whole tile that holds the rows from `row` on: at the bank's end it begins earlier, since a row that is
  // compared twice changes no maximum.
  const float* tile(int64_t row, int64_t to) const {
    if (row + k_bank_rows <= to) return job_.bank + row * job_.depth;
    if (to >= k_bank_rows) return job_.bank + (to - k_bank_rows) * job_.depth;
    for (int64_t r = 0; r < k_bank_rows; ++r) {
      const float* src = job_.bank + (r < to ? r : 0) * job_.depth;
      for (int64_t k = 0; k < job_.depth; ++k) small_[r * job_.depth + k] = src[k];
    }
    return small_;
  }

  const NearestPanels& job_;
  float* rows_ = nullptr;   // [panels][depth][k_panel]
  float* best_ = nullptr;   // [panels][k_panel]
  float* small_ = nullptr;  // [k_bank_rows][depth], for banks smaller than a tile
};

}  // namespace
}  // namespace crane::kernels
