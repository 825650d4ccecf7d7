// The algorithm of attention_panels.h over a vector type V; included by its faces only.
//
// Vectors run along queries. A panel of k_panel queries is packed as [64][k_panel] with scale * log2(e)
// folded in; a tile of scores is k_keys keys x k_panel queries, whose accumulators stay in registers. So
// maxima and sums over the keys are lane by lane, and the weights lie as [key][query], one after the other,
// ready for the product with the values, where vectors run along the 64 channels.
//
// Keys are taken in chunks that stay in the first-level cache. Each chunk's exponentials refer to the largest
// score seen so far; that maximum is kept, and the weights are brought to the row's final maximum and sum
// when they are read for the product. Scores of -inf get no weight; NaN or +inf make their row NaN, as
// softmax does.
#pragma once

#include <cfloat>

#include "kernels/attention_panels.h"
#include "kernels/exp2.h"
#include "kernels/scratch.h"

namespace crane::kernels {
namespace {

template <typename V, int k_keys, int k_value_rows, int k_value_vectors, int k_tiles>
class AttentionKernel {
  using Reg = typename V::Reg;
  static constexpr int64_t k_lanes = V::k_lanes;
  static constexpr int64_t k_width = k_head_width;
  static constexpr int64_t k_chunk = k_keys * k_tiles;

 public:
  static constexpr int64_t k_panel = 2 * k_lanes;

  static void run(const AttentionPanels& job, int64_t first, int64_t last) {
    thread_local Scratch scratch;
    AttentionKernel kernel(job, scratch);
    const int64_t panels = (job.queries + k_panel - 1) / k_panel;
    for (int64_t task = first; task < last; ++task) {
      kernel.use_head(task / panels);
      kernel.panel(task / panels, task % panels * k_panel);
    }
  }

 private:
  AttentionKernel(const AttentionPanels& job, Scratch& scratch) : job_(job) {
    chunks_ = (job.keys + k_chunk - 1) / k_chunk;
    padded_keys_ = chunks_ * k_chunk;
    int64_t sources = 0;
    for (int s = 0; s < job.stream_count; ++s) sources += job.streams[s].member_count;
    const int64_t queries = sources * k_width * k_panel;
    const int64_t weights = job.stream_count * padded_keys_ * k_panel;
    const int64_t maxima = job.stream_count * chunks_ * k_panel;
    const int64_t own_rows = (sources + 1) * padded_keys_ * k_width;
    float* at = scratch.floats(queries + weights + maxima + k_chunk * k_panel + k_panel * k_width + own_rows);
    queries_ = at;
    weights_ = queries_ + queries;
    maxima_ = weights_ + weights;
    chunk_ = maxima_ + maxima;
    sums_ = chunk_ + k_chunk * k_panel;
    rows_ = sums_ + k_panel * k_width;
  }

  // The head's keys and values one after the other: rows far apart would fall on the same cache sets.
  void use_head(int64_t head) {
    if (head == head_) return;
    head_ = head;
    float* own = rows_;
    int source = 0;
    for (int s = 0; s < job_.stream_count; ++s) {
      for (int m = 0; m < job_.streams[s].member_count; ++m) {
        keys_[source++] = gathered(job_.streams[s].members[m].keys, own);
        own += padded_keys_ * k_width;
      }
    }
    values_ = gathered(job_.values, own);
  }

  // Rows up to a whole number of chunks; what lies behind the last key is zero and never counted.
  const float* gathered(const HeadRows& rows, float* own) const {
    const float* src = rows.head(head_);
    for (int64_t j = 0; j < job_.keys; ++j, src += rows.row_stride) {
      for (int64_t c = 0; c < k_width; c += k_lanes) V::store(own + j * k_width + c, V::load(src + c));
    }
    for (int64_t i = job_.keys * k_width; i < padded_keys_ * k_width; ++i) own[i] = 0;
    return own;
  }

  void panel(int64_t head, int64_t first) {
    const int64_t count = job_.queries - first < k_panel ? job_.queries - first : k_panel;
    int source = 0;
    for (int s = 0; s < job_.stream_count; ++s) {
      for (int m = 0; m < job_.streams[s].member_count; ++m, ++source) {
        const HeadRows& rows = job_.streams[s].members[m].queries;
        pack_queries(rows.head(head) + first * rows.row_stride, rows.row_stride, count, source);
      }
    }
    source = 0;
    for (int s = 0; s < job_.stream_count; ++s) {
      exponentials(s, source);
      source += job_.streams[s].member_count;
    }
    for (int64_t c = 0; c < chunks_; ++c) {
      combine(c);
      add_values(c);
    }
    for (int64_t i = 0; i < count; ++i) {
      float* dst = job_.dst + head * job_.dst_head_stride + (first + i) * job_.dst_row_stride;
      for (int64_t c = 0; c < k_width; c += k_lanes) V::store(dst + c, V::load(sums_ + i * k_width + c));
    }
  }

  // [count, 64] -> [64][k_panel], scaled; queries behind the last are zero.
  void pack_queries(const float* src, int64_t stride, int64_t count, int source) {
    const Reg scale = V::set1(job_.scale * 1.44269504088896340736F);
    float* dst = queries_ + source * k_width * k_panel;
    for (int64_t half = 0; half < k_panel; half += k_lanes) {
      for (int64_t c = 0; c < k_width; c += k_lanes) {
        Reg tile[V::k_lanes];
        for (int i = 0; i < V::k_lanes; ++i) {
          tile[i] = half + i < count ? V::mul(scale, V::load(src + (half + i) * stride + c)) : V::zero();
        }
        V::transpose(tile);
        for (int i = 0; i < V::k_lanes; ++i) V::store(dst + (c + i) * k_panel + half, tile[i]);
      }
    }
  }

  // weights_ of one stream, and in maxima_ what brings each chunk's to the rows' final maxima and sums.
  void exponentials(int stream, int source) {
    Reg highest[2] = {V::set1(-FLT_MAX), V::set1(-FLT_MAX)};
    Reg sum[2] = {V::zero(), V::zero()};
    float* weights = weights_ + stream * padded_keys_ * k_panel;
    float* maxima = maxima_ + stream * chunks_ * k_panel;
    for (int64_t c = 0; c < chunks_; ++c, weights += k_chunk * k_panel, maxima += k_panel) {
      const int64_t left = job_.keys - c * k_chunk;
      const int64_t count = left < k_chunk ? left : k_chunk;
      Reg now[2] = {highest[0], highest[1]};
      for (int64_t tile = 0; tile < count; tile += k_keys) {
        const int64_t valid = count - tile < k_keys ? count - tile : k_keys;
        scores(job_.streams[stream].member_count, source, c * k_chunk + tile, valid, weights + tile * k_panel,
               now);
      }
      for (int h = 0; h < 2; ++h) {
        sum[h] = V::mul(sum[h], exp2_lanes<V>(V::sub(highest[h], now[h])));
        highest[h] = now[h];
        V::store(maxima + h * k_lanes, now[h]);
      }
      Reg part[2] = {V::zero(), V::zero()};
      for (int64_t j = 0; j < count; ++j) {
        for (int h = 0; h < 2; ++h) {
          float* at = weights + j * k_panel + h * k_lanes;
          const Reg e = exp2_lanes<V>(V::sub(V::load(at), now[h]));
          V::store(at, e);
          part[h] = V::add(part[h], e);
        }
      }
      for (int h = 0; h < 2; ++h) sum[h] = V::add(sum[h], part[h]);
    }
    // Every chunk's factor, in the place of its maximum.
    Reg factor[2];
    for (int h = 0; h < 2; ++h) factor[h] = V::div(V::set1(1.0F), sum[h]);
    maxima = maxima_ + stream * chunks_ * k_panel;
    for (int64_t c = 0; c < chunks_; ++c, maxima += k_panel) {
      for (int h = 0; h < 2; ++h) {
        float* at = maxima + h * k_lanes;
        V::store(at, V::mul(factor[h], exp2_lanes<V>(V::sub(V::load(at), highest[h]))));
      }
    }
  }

  // One tile of scores, [k_keys][k_panel], and the maxima over its first `valid` keys.
  __attribute__((noinline)) void scores(int members, int source, int64_t first_key, int64_t valid, float* dst,
                                        Reg (&highest)[2]) const {
    Reg sum[k_keys][2];
#pragma GCC unroll 16
    for (int r = 0; r < k_keys; ++r) sum[r][0] = sum[r][1] = V::zero();
    for (int m = 0; m < members; ++m) {
      const float* a = queries_ + (source + m) * k_width * k_panel;
      const float* b = keys_[source + m] + first_key * k_width;
      for (int64_t k = 0; k < k_width; ++k, a += k_panel, ++b) {
        const Reg a0 = V::load(a);
        const Reg a1 = V::load(a + k_lanes);
#pragma GCC unroll 16
        for (int r = 0; r < k_keys; ++r) {
          const Reg x = V::set1(b[r * k_width]);
          sum[r][0] = V::fma(x, a0, sum[r][0]);
          sum[r][1] = V::fma(x, a1, sum[r][1]);
        }
      }
    }
#pragma GCC unroll 16
    for (int r = 0; r < k_keys; ++r) {
      V::store(dst + r * k_panel, sum[r][0]);
      V::store(dst + r * k_panel + k_lanes, sum[r][1]);
    }
    if (valid == k_keys) {
#pragma GCC unroll 16
      for (int r = 0; r < k_keys; ++r) {
        for (int h = 0; h < 2; ++h) highest[h] = V::max(sum[r][h], highest[h]);
      }
    } else {
      for (int64_t r = 0; r < valid; ++r) {
        for (int h = 0; h < 2; ++h) highest[h] = V::max(V::load(dst + r * k_panel + h * k_lanes), highest[h]);
      }
    }
  }

  // chunk_ = sum over streams of factor * exponentials, [key][query].
  void combine(int64_t c) {
    const int64_t left = job_.keys - c * k_chunk;
    const int64_t count = left < k_chunk ? left : k_chunk;
    const float* weights = weights_ + c * k_chunk * k_panel;
    const float* factors = maxima_ + c * k_panel;
    const int64_t next = padded_keys_ * k_panel;
    const int64_t next_factor = chunks_ * k_panel;
    for (int64_t h = 0; h < k_panel; h += k_lanes) {
      Reg f[k_most_streams];
      for (int s = 0; s < job_.stream_count; ++s) f[s] = V::load(factors + s * next_factor + h);
      const float* src = weights + h;
      float* dst = chunk_ + h;
      if (job_.stream_count == 1) {
        for (int64_t j = 0; j < count; ++j)
          V::store(dst + j * k_panel, V::mul(f[0], V::load(src + j * k_panel)));
      } else if (job_.stream_count == 2) {
        for (int64_t j = 0; j < count; ++j, src += k_panel) {
          V::store(dst + j * k_panel, V::fma(f[1], V::load(src + next), V::mul(f[0], V::load(src))));
        }
      } else {
        for (int64_t j = 0; j < count; ++j, src += k_panel) {
          const Reg two = V::fma(f[1], V::load(src + next), V::mul(f[0], V::load(src)));
          V::store(dst + j * k_panel, V::fma(f[2], V::load(src + 2 * next), two));
        }
      }
    }
  }

  // sums_ [query][64] += chunk's weights times its values.
  void add_values(int64_t c) {
    const int64_t left = job_.keys - c * k_chunk;
    const int64_t count = left < k_chunk ? left : k_chunk;
    const float* values = values_ + c * k_chunk * k_width;
    for (int64_t channel = 0; channel < k_width; channel += k_value_vectors * k_lanes) {
      constexpr int64_t parts = (k_panel + k_value_rows - 1) / k_value_rows;
      int64_t row = 0;
      for (int64_t part = 0; part < parts; ++part) {
        // Parts of k_value_rows and k_value_rows - 1 rows that add up to the panel.
        if (part < k_panel - parts * (k_value_rows - 1)) {
          product<k_value_rows>(row, values + channel, count, c == 0, sums_ + row * k_width + channel);
          row += k_value_rows;
        } else {
          product<k_value_rows - 1>(row, values + channel, count, c == 0, sums_ + row * k_width + channel);
          row += k_value_rows - 1;
        }
      }
    }
  }

  template <int k_rows>
  __attribute__((noinline)) void product(int64_t row, const float* values, int64_t count, bool is_first,
                                         float* dst) const {
    Reg sum[k_rows][k_value_vectors];
#pragma GCC unroll 16
    for (int r = 0; r < k_rows; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < k_value_vectors; ++v) {
        sum[r][v] = is_first ? V::zero() : V::load(dst + r * k_width + v * k_lanes);
      }
    }
    const float* weights = chunk_ + row;
    for (int64_t j = 0; j < count; ++j, weights += k_panel, values += k_width) {
      Reg b[k_value_vectors];
#pragma GCC unroll 4
      for (int v = 0; v < k_value_vectors; ++v) b[v] = V::load(values + v * k_lanes);
#pragma GCC unroll 16
      for (int r = 0; r < k_rows; ++r) {
        const Reg x = V::set1(weights[r]);
#pragma GCC unroll 4
        for (int v = 0; v < k_value_vectors; ++v) sum[r][v] = V::fma(x, b[v], sum[r][v]);
      }
    }
#pragma GCC unroll 16
    for (int r = 0; r < k_rows; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < k_value_vectors; ++v) V::store(dst + r * k_width + v * k_lanes, sum[r][v]);
    }
  }

  const AttentionPanels& job_;
  int64_t chunks_ = 0;
  int64_t padded_keys_ = 0;
  int64_t head_ = -1;
  const float* keys_[k_most_streams * k_most_streams] = {};
  const float* values_ = nullptr;
  float* queries_ = nullptr;  // [sources][64][k_panel]
  float* weights_ = nullptr;  // [streams][padded_keys_][k_panel]
  float* maxima_ = nullptr;   // [streams][chunks_][k_panel]: maxima, then factors
  float* chunk_ = nullptr;    // [k_chunk][k_panel]
  float* sums_ = nullptr;     // [k_panel][64]
  float* rows_ = nullptr;     // the head's keys and values
};

}  // namespace
}  // namespace crane::kernels
