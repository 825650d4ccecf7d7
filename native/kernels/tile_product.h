// The inner product of the panel kernels; included by the kernels' files only.
#pragma once

#include <cstdint>

namespace crane::kernels {
namespace {

// sum[r][h] = sum over k of a[k][r] * b[k][h], in the order of k. a is [depth][k_rows], b [depth][2 vectors].
// `dot` (a, b, sum) -> sum + a b says what lies in the four bytes of a[k][r].
template <typename V, int k_rows, typename Dot>
inline __attribute__((always_inline)) void tile_product(const float* a, const float* b, int64_t depth,
                                                        typename V::Reg (&sum)[k_rows][2], Dot dot) {
#pragma GCC unroll 16
  for (int r = 0; r < k_rows; ++r) sum[r][0] = sum[r][1] = V::zero();
  for (int64_t k = 0; k < depth; ++k, a += k_rows, b += 2 * V::k_lanes) {
    const typename V::Reg b0 = V::load(b);
    const typename V::Reg b1 = V::load(b + V::k_lanes);
#pragma GCC unroll 16
    for (int r = 0; r < k_rows; ++r) {
      const typename V::Reg x = V::set1(a[r]);
      sum[r][0] = dot(x, b0, sum[r][0]);
      sum[r][1] = dot(x, b1, sum[r][1]);
    }
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
