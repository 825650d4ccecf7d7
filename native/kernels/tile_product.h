// The inner products of the panel kernels; included by the kernels' files only.
#pragma once

#include <cstdint>

namespace crane::kernels {

constexpr int64_t k_steps_ahead_of_rows = 16;

namespace {

// sum[r][h] += sum over k of a[k * step + r * pitch] * b[k][h], in the order of k. b is [depth][2 vectors].
// `dot` (a, b, sum) -> sum + a b says what lies in the four bytes of a cell (cells.h). With k_asks_ahead what
// lies `ahead` floats behind b and k_steps_ahead_of_rows behind a is asked for beforehand; it may lie
// outside.
template <typename V, int k_rows, bool k_asks_ahead = false, typename Dot>
inline __attribute__((always_inline)) void add_tile_product(const float* a, int64_t step, int64_t pitch,
                                                            const float* b, int64_t depth,
                                                            typename V::Reg (&sum)[k_rows][2], Dot dot,
                                                            int64_t ahead = 0) {
  for (int64_t k = 0; k < depth; ++k, a += step, b += 2 * V::k_lanes) {
    if constexpr (k_asks_ahead) {
      __builtin_prefetch(a + k_steps_ahead_of_rows * step);
      for (int64_t line = 0; line < 2 * V::k_lanes; line += 16) __builtin_prefetch(b + ahead + line);
    }
    const typename V::Reg b0 = V::load(b);
    const typename V::Reg b1 = V::load(b + V::k_lanes);
#pragma GCC unroll 16
    for (int r = 0; r < k_rows; ++r) {
      const typename V::Reg x = V::set1(a[r * pitch]);
      sum[r][0] = dot(x, b0, sum[r][0]);
      sum[r][1] = dot(x, b1, sum[r][1]);
    }
  }
}

template <typename V, int k_rows>
inline __attribute__((always_inline)) void set_zero(typename V::Reg (&sum)[k_rows][2]) {
#pragma GCC unroll 16
  for (int r = 0; r < k_rows; ++r) sum[r][0] = sum[r][1] = V::zero();
}

// The whole product of a packed as [depth][k_rows].
template <typename V, int k_rows, bool k_asks_ahead = false, typename Dot>
inline __attribute__((always_inline)) void tile_product(const float* a, const float* b, int64_t depth,
                                                        typename V::Reg (&sum)[k_rows][2], Dot dot,
                                                        int64_t ahead = 0) {
  set_zero<V, k_rows>(sum);
  add_tile_product<V, k_rows, k_asks_ahead>(a, k_rows, 1, b, depth, sum, dot, ahead);
}

// k_rows rows of results, each k_vectors vectors wide, in memory.
struct ResultRows {
  float* data;
  int64_t pitch;
  bool is_first;  // what lies there counts as zero
};

// dst[r] = dst[r] + sum over j of weights[j * pitch + r] * row_of(j), in the order of j; the sums stay in
// registers.
template <typename V, int k_rows, int k_vectors, typename RowOf, typename Dot>
inline __attribute__((always_inline)) void add_weighted_rows(const float* weights, int64_t pitch,
                                                             int64_t count, RowOf row_of,
                                                             const ResultRows& dst, Dot dot) {
  typename V::Reg sum[k_rows][k_vectors];
#pragma GCC unroll 16
  for (int r = 0; r < k_rows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < k_vectors; ++v) {
      sum[r][v] = dst.is_first ? V::zero() : V::load(dst.data + r * dst.pitch + v * V::k_lanes);
    }
  }
  for (int64_t j = 0; j < count; ++j, weights += pitch) {
    const float* row = row_of(j);
    typename V::Reg b[k_vectors];
#pragma GCC unroll 4
    for (int v = 0; v < k_vectors; ++v) b[v] = V::load(row + v * V::k_lanes);
#pragma GCC unroll 16
    for (int r = 0; r < k_rows; ++r) {
      const typename V::Reg x = V::set1(weights[r]);
#pragma GCC unroll 4
      for (int v = 0; v < k_vectors; ++v) sum[r][v] = dot(x, b[v], sum[r][v]);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < k_rows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < k_vectors; ++v) V::store(dst.data + r * dst.pitch + v * V::k_lanes, sum[r][v]);
  }
}

// `count` rows of `depth` floats -> [depth][pitch], at most a vector's lanes of rows side by side; rows
// behind the last are zero. Whole vectors are written: where pitch is smaller than a vector, a row's end is
// overwritten by the next one, and dst needs a vector of slack.
template <typename V>
inline void pack_side_by_side(const float* src, int64_t stride, int64_t count, int64_t depth, int64_t pitch,
                              float* dst) {
  for (int64_t k = 0; k < depth; k += V::k_lanes) {
    const int width = depth - k < V::k_lanes ? static_cast<int>(depth - k) : V::k_lanes;
    typename V::Reg tile[V::k_lanes];
    for (int i = 0; i < V::k_lanes; ++i) {
      tile[i] = i < count ? V::load_first(src + i * stride + k, width) : V::zero();
    }
    V::transpose(tile);
    for (int i = 0; i < width; ++i) V::store(dst + (k + i) * pitch, tile[i]);
  }
}

}  // namespace
}  // namespace crane::kernels
