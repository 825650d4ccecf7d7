// The algorithm of affinity_panels.h over a vector type V; included by its faces only. As in the attention
// kernel, vectors run along the panel's rows for the weights and along channels for the product with the
// values.
#pragma once

#include "kernels/activations.h"
#include "kernels/affinity_panels.h"
#include "kernels/scratch.h"
#include "kernels/tile_product.h"

namespace crane::kernels {
namespace {

template <typename V, int k_keys, int k_value_rows, int k_value_vectors>
class AffinityKernel {
  using Reg = typename V::Reg;
  static constexpr int64_t k_lanes = V::k_lanes;
  static constexpr int64_t k_chunk = 64;  // kept keys of one stretch of the product

 public:
  static constexpr int64_t k_panel = 2 * k_lanes;
  static constexpr int64_t k_channels = k_value_vectors * k_lanes;

  static void pack(const AffinityPanels& job, int64_t first, int64_t last) {
    for (int64_t tile = first; tile < last; ++tile) {
      const int64_t left = job.count - tile * k_keys;
      pack_side_by_side<V>(job.features + tile * k_keys * job.depth, job.depth, left < k_keys ? left : k_keys,
                           job.depth, k_keys, job.packed + tile * tile_floats(job));
    }
  }

  static int64_t run(const AffinityPanels& job, int64_t first, int64_t last) {
    thread_local Scratch scratch;
    const int64_t rows = job.depth * k_panel;
    const int64_t weights = job.count * k_panel;
    AffinityKernel kernel(job);
    kernel.rows_ = scratch.floats(rows + weights + k_panel * job.width + job.count);
    kernel.weights_ = kernel.rows_ + rows;
    kernel.sums_ = kernel.weights_ + weights;
    kernel.kept_ = reinterpret_cast<int32_t*>(kernel.sums_ + k_panel * job.width);
    int64_t kept = 0;
    for (int64_t panel = first; panel < last; ++panel) kept += kernel.panel(panel * k_panel);
    return kept;
  }

 private:
  explicit AffinityKernel(const AffinityPanels& job) : job_(job) {}

  static int64_t tile_floats(const AffinityPanels& job) { return (job.depth * k_keys + 16 + 15) / 16 * 16; }

  int64_t panel(int64_t first) {
    const int64_t count = job_.count - first < k_panel ? job_.count - first : k_panel;
    for (int64_t half = 0; half < k_panel; half += k_lanes) {
      const int64_t left = count > half ? count - half : 0;
      pack_side_by_side<V>(job_.features + (first + half) * job_.depth, job_.depth, left, job_.depth, k_panel,
                           rows_ + half);
    }
    Reg sum[2] = {V::zero(), V::zero()};
    int64_t kept = 0;
    for (int64_t key = 0; key < job_.count; key += k_keys) kept = weigh(key, count, kept, sum);
    float total[k_panel];
    for (int h = 0; h < 2; ++h) V::store(total + h * k_lanes, sum[h]);
    Reg factor[2];
    for (int h = 0; h < 2; ++h) factor[h] = V::div(V::set1(1.0F), sum[h]);
    for (int64_t j = 0; j < kept; ++j) {
      for (int h = 0; h < 2; ++h) {
        float* at = weights_ + j * k_panel + h * k_lanes;
        V::store(at, V::mul(factor[h], V::load(at)));
      }
    }
    for (int64_t from = 0; from < kept || from == 0; from += k_chunk) {
      add_values(from, kept - from < k_chunk ? kept - from : k_chunk);
    }
    for (int64_t i = 0; i < count; ++i) {
      const float* src = sums_ + i * job_.width;
      // A weight that is kept is at least exp(0).
      const bool is_empty = total[i] == 0.0F;
      if (is_empty && job_.keeps_self) src = job_.values + (first + i) * job_.values_stride;
      float* dst = job_.dst + (first + i) * job_.width;
      const Reg lost = V::set1(__builtin_nanf(""));
      for (int64_t c = 0; c < job_.width; c += k_lanes) {
        V::store(dst + c, is_empty && !job_.keeps_self ? lost : V::load(src + c));
      }
    }
    return kept;
  }

  // Weights of the keys [key, key + k_keys); those that a row keeps are appended to the `kept` before.
  __attribute__((noinline)) int64_t weigh(int64_t key, int64_t count, int64_t kept, Reg (&sum)[2]) {
    Reg score[k_keys][2];
    tile_product<V, k_keys>(job_.packed + key / k_keys * tile_floats(job_), rows_, job_.depth, score, V::fma);
    float tile[k_keys * k_panel];
#pragma GCC unroll 16
    for (int r = 0; r < k_keys; ++r) {
      for (int h = 0; h < 2; ++h) V::store(tile + r * k_panel + h * k_lanes, score[r][h]);
    }
    const Reg shift = V::set1(job_.shift);
    const Reg gain = V::set1(job_.gain);
    const int64_t valid = job_.count - key < k_keys ? job_.count - key : k_keys;
    const uint32_t all_lanes = static_cast<uint32_t>((uint64_t{1} << k_lanes) - 1);
    for (int64_t r = 0; r < valid; ++r) {
      bool is_kept = false;
      Reg weight[2];
      for (int h = 0; h < 2; ++h) {
        const Reg s = V::mul(gain, V::sub(V::load(tile + r * k_panel + h * k_lanes), shift));
        const int64_t rows = count - h * k_lanes;  // of this vector's lanes, the rest is no row
        const uint32_t lanes = rows >= k_lanes ? all_lanes : rows <= 0 ? 0 : (1U << rows) - 1;
        is_kept = is_kept || (~V::negative_lanes(s) & lanes) != 0;
        weight[h] = V::where_less(s, V::zero(), V::zero(), exp2_lanes<V>(V::mul(V::set1(k_log2_e), s)));
      }
      if (!is_kept) continue;
      for (int h = 0; h < 2; ++h) {
        V::store(weights_ + kept * k_panel + h * k_lanes, weight[h]);
        sum[h] = V::add(sum[h], weight[h]);
      }
      kept_[kept++] = static_cast<int32_t>(key + r);
    }
    return kept;
  }

  // sums_ [panel][width] += weights of the kept keys [from, from + count) times their values.
  void add_values(int64_t from, int64_t count) {
    for (int64_t channel = 0; channel < job_.width; channel += k_channels) {
      for (int64_t row = 0; row < k_panel; row += k_value_rows) product(row, channel, from, count);
    }
  }

  __attribute__((noinline)) void product(int64_t row, int64_t channel, int64_t from, int64_t count) {
    const ResultRows dst{sums_ + row * job_.width + channel, job_.width, from == 0};
    const float* values = job_.values + channel;
    add_weighted_rows<V, k_value_rows, k_value_vectors>(
        weights_ + from * k_panel + row, k_panel, count,
        [&](int64_t j) { return values + kept_[from + j] * job_.values_stride; }, dst, V::fma);
  }

  const AffinityPanels& job_;
  float* rows_ = nullptr;     // [depth][k_panel]
  float* weights_ = nullptr;  // [kept][k_panel]
  float* sums_ = nullptr;     // [k_panel][width]
  int32_t* kept_ = nullptr;   // the kept keys
};

}  // namespace
}  // namespace crane::kernels
