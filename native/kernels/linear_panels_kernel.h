// The algorithm of linear_panels.h over a vector type V and what a cell of four bytes holds (Cells); included
// by its faces only.
//
// A block of rows is packed as [panel][cells][k_rows] (normalised on the way where asked for) so that it
// stays in the second-level cache; against it run the packed weights, panel by panel, and a tile of k_rows x
// 2 vectors of results stays in registers. Depth is taken in stretches of at most k_stretch cells; partial
// sums meet in dst.
#pragma once

#include "kernels/activations.h"
#include "kernels/cells.h"
#include "kernels/linear_panels.h"
#include "kernels/scratch.h"
#include "kernels/tile_product.h"

namespace crane::kernels {
namespace {

template <typename V, typename Cells, int k_rows, int k_block_panels>
class LinearKernel {
  using Reg = typename V::Reg;
  static constexpr int64_t k_lanes = V::k_lanes;
  static constexpr int64_t k_values = Cells::k_values;
  static constexpr int64_t k_stretch = 1024;
  static constexpr int64_t k_block = k_rows * k_block_panels;

 public:
  static constexpr int64_t k_columns = 2 * k_lanes;

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
  LinearKernel(const LinearPanels& job, float* memory)
      : job_(job), statistics_(memory), packed_(memory + 2 * k_block) {}

  void use_rows(int64_t first, int64_t end) {
    first_ = first;
    end_ = end;
    if (job_.norm_weight == nullptr) return;
    for (int64_t r = first; r < end; ++r)
      measure(job_.src + r * job_.src_stride, statistics_ + 2 * (r - first));
  }

  // Mean and 1 / sqrt(variance + eps) of a row, in two passes as LayerNorm is defined.
  void measure(const float* row, float* statistics) const {
    const auto sum_of = [&](auto&& term) {
      Reg sums[4] = {V::zero(), V::zero(), V::zero(), V::zero()};
      int64_t k = 0;
      for (; k + 4 * k_lanes <= job_.depth; k += 4 * k_lanes) {
        for (int i = 0; i < 4; ++i) sums[i] = V::add(sums[i], term(V::load(row + k + i * k_lanes)));
      }
      for (; k + k_lanes <= job_.depth; k += k_lanes) sums[0] = V::add(sums[0], term(V::load(row + k)));
      double total = 0;
      total += V::sum(V::add(V::add(sums[0], sums[1]), V::add(sums[2], sums[3])));
      if (k < job_.depth) {
        float rest[k_lanes];
        const int count = static_cast<int>(job_.depth - k);
        V::store(rest, term(V::load_first(row + k, count)));
        for (int i = 0; i < count; ++i) total += rest[i];
      }
      return total;
    };
    const double count = static_cast<double>(job_.depth);
    const double mean = sum_of([](Reg x) { return x; }) / count;
    const Reg centre = V::set1(static_cast<float>(mean));
    const double variance = sum_of([&](Reg x) {
                              const Reg d = V::sub(x, centre);
                              return V::mul(d, d);
                            }) /
                            count;
    statistics[0] = static_cast<float>(mean);
    statistics[1] = static_cast<float>(1.0 / __builtin_sqrt(variance + job_.norm_eps));
  }

  // Cells [from, to) of the depth.
  void multiply(int64_t from, int64_t to, const PanelRange& range) {
    const int64_t all = (job_.depth + k_values - 1) / k_values;
    const int64_t count = to - from;
    for (int64_t r = first_; r < end_; r += k_rows) {
      pack(r, from * k_values, to * k_values, packed_ + (r - first_) * count);
    }
    for (int64_t panel = range.first_columns; panel < range.last_columns; ++panel) {
      const int64_t column = panel * k_columns;
      const float* weight = job_.weight + (panel * all + from) * k_columns;
      float* dst = job_.dst + column / job_.dst_group * job_.dst_group_stride + column % job_.dst_group;
      for (int64_t r = first_; r < end_; r += k_rows) {
        Reg sum[k_rows][2];
        tile_product<V, k_rows>(packed_ + (r - first_) * count, weight, count, sum, Cells::dot);
        finish(sum, r, column, from == 0, to == all, dst + r * job_.dst_row_stride);
      }
    }
  }

  // One vector of the depth and what normalises it.
  struct Lanes {
    int64_t from;
    int count;
    Reg scale;
    Reg shift;
  };

  Lanes lanes_at(int64_t k) const {
    const int64_t left = job_.depth - k;
    const int count = left < 0 ? 0 : left < k_lanes ? static_cast<int>(left) : static_cast<int>(k_lanes);
    if (job_.norm_weight == nullptr || count == 0) return {k, count, V::zero(), V::zero()};
    return {k, count, V::load_first(job_.norm_weight + k, count), V::load_first(job_.norm_bias + k, count)};
  }

  // Zero behind the depth, where no NaN may come from a norm either.
  Reg values_of(int64_t row, const Lanes& part) const {
    if (part.count == 0) return V::zero();
    const Reg x = V::load_first(job_.src + row * job_.src_stride + part.from, part.count);
    if (job_.norm_weight == nullptr) return x;
    const float* s = statistics_ + 2 * (row - first_);
    return V::fma(V::mul(V::sub(x, V::set1(s[0])), V::set1(s[1])), part.scale, part.shift);
  }

  // Rows [first, first + k_rows) and the depth [from, to) as [cells][k_rows]; rows behind the last are zero.
  void pack(int64_t first, int64_t from, int64_t to, float* dst) const {
    for (int64_t k = from; k < to; k += k_lanes * k_values) {
      Lanes parts[k_values];
      for (int v = 0; v < k_values; ++v) parts[v] = lanes_at(k + v * k_lanes);
      Reg tile[V::k_lanes];
      for (int i = 0; i < V::k_lanes; ++i) {
        if (i >= k_rows || first + i >= end_) {
          tile[i] = V::zero();
          continue;
        }
        Reg x[k_values];
        for (int v = 0; v < k_values; ++v) x[v] = values_of(first + i, parts[v]);
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

  inline __attribute__((always_inline)) void finish(Reg (&sum)[k_rows][2], int64_t row, int64_t column,
                                                    bool is_first, bool is_last, float* dst) const {
    const int64_t rows = end_ - row < k_rows ? end_ - row : k_rows;
    const int64_t left = job_.out - column;
    float tile[k_rows * k_columns];
#pragma GCC unroll 16
    for (int r = 0; r < k_rows; ++r) {
      V::store(tile + r * k_columns, sum[r][0]);
      V::store(tile + r * k_columns + k_lanes, sum[r][1]);
    }
    const bool adds = !is_first || job_.epilogue == Epilogue::add;
    for (int h = 0; h < 2; ++h) {
      const int64_t rest = left - h * k_lanes;
      if (rest <= 0) return;
      const int count = rest < k_lanes ? static_cast<int>(rest) : static_cast<int>(k_lanes);
      const Reg bias = is_first ? V::load_first(job_.bias + column + h * k_lanes, count) : V::zero();
      for (int64_t r = 0; r < rows; ++r) {
        Reg x = V::add(V::load(tile + r * k_columns + h * k_lanes), bias);
        float* at = dst + r * job_.dst_row_stride + h * k_lanes;
        if (adds) x = V::add(V::load_first(at, count), x);
        if (is_last && job_.epilogue == Epilogue::quick_gelu) x = quick_gelu_lanes<V>(x);
        if (is_last && job_.epilogue == Epilogue::gelu) x = gelu_lanes<V>(x);
        V::store_first(at, x, count);
      }
    }
  }

  const LinearPanels& job_;
  float* statistics_;  // [k_block][2]
  float* packed_;      // cells
  int64_t first_ = 0;
  int64_t end_ = 0;
};

}  // namespace
}  // namespace crane::kernels
