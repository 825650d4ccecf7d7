// What the kernels of a linear layer share over a vector type V: LayerNorm's figures of the rows of a block,
// rows as they enter the products, and what becomes of a tile of sums; included by the kernels' files only.
#pragma once

#include "kernels/activations.h"
#include "kernels/linear_panels.h"

namespace crane::kernels {
namespace {

template <typename V, int k_rows>
class LinearRows {
 protected:
  using Reg = typename V::Reg;
  static constexpr int64_t k_lanes = V::k_lanes;

 public:
  static constexpr int64_t k_columns = 2 * k_lanes;

 protected:
  // statistics: two for every row of a block.
  LinearRows(const LinearPanels& job, float* statistics) : job_(job), statistics_(statistics) {}

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

  float* dst_of(int64_t column) const {
    return job_.dst + column / job_.dst_group * job_.dst_group_stride + column % job_.dst_group;
  }

  // Asks for the lines of a tile's results, to be written when its sums are ready.
  inline __attribute__((always_inline)) void ask_for_results(int64_t row, const float* dst) const {
    const int64_t rows = end_ - row < k_rows ? end_ - row : k_rows;
    for (int64_t r = 0; r < rows; ++r, dst += job_.dst_row_stride) {
      for (int64_t line = 0; line < k_columns; line += 16) __builtin_prefetch(dst + line, /*rw=*/1);
    }
  }

  // Sums of a stretch of the depth into dst, what surrounds the layer with the last one.
  inline __attribute__((always_inline)) void finish(Reg (&sum)[k_rows][2], int64_t row, int64_t column,
                                                    bool is_first, bool is_last, float* dst) const {
    float tile[k_rows * k_columns];
#pragma GCC unroll 16
    for (int r = 0; r < k_rows; ++r) {
      V::store(tile + r * k_columns, sum[r][0]);
      V::store(tile + r * k_columns + k_lanes, sum[r][1]);
    }
    finish_tile(tile, row, column, is_first, is_last, dst);
  }

  // The same of sums in memory, [k_rows][k_columns].
  inline __attribute__((always_inline)) void finish_tile(const float* tile, int64_t row, int64_t column,
                                                         bool is_first, bool is_last, float* dst) const {
    const int64_t rows = end_ - row < k_rows ? end_ - row : k_rows;
    const int64_t left = job_.out - column;
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
  float* statistics_;  // [rows of a block][2]
  int64_t first_ = 0;
  int64_t end_ = 0;
};

}  // namespace
}  // namespace crane::kernels
