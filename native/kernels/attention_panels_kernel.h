// The algorithm of attention_panels.h over a vector type V, what a cell of four bytes holds (Cells), how
// scores become weights (Softmax) and what multiplies (Products); included by its faces only.
//
// Vectors run along queries. A panel of k_panel queries is packed as [cells][k_panel], cells along the head's
// width; a tile of scores is k_keys keys x k_panel queries. So maxima and sums over the keys are lane by
// lane, and the weights lie as [key][query], one after the other, ready for the product with the values,
// where cells run along the keys.
//
// Products are attention_vector_products.h or attention_tile_products.h:
//   k_keys            keys of a tile of scores
//   k_value_keys      the product with the values takes a multiple of so many keys; weights behind the last
//   are 0 k_runs_ahead      a chunk's scores are computed while the one before becomes weights, on a unit of
//   its own Session           what a thread holds while it multiplies use_queries       before the scores of
//   a stream: its first member's packed queries scores            a tile of scores, [k_keys][k_panel]; unless
//   k_runs_ahead, their maxima too gather_values     a head's values as add_values takes them add_values sums
//   += a chunk's weights times its values k_sums_lie_across sums are [channel][query] until turn() makes rows
//   of them
//
// Keys are taken in chunks that stay in the first-level cache. Each chunk's exponentials refer to the largest
// score seen so far; that maximum is kept, and the weights are brought to the row's final maximum and sum
// when they are read for the product. Scores of -inf get no weight; NaN or +inf make their row NaN, as
// softmax does.
#pragma once

#include <cfloat>

#include "kernels/attention_panels.h"
#include "kernels/cells.h"
#include "kernels/exp2.h"
#include "kernels/scratch.h"

namespace crane::kernels {
namespace {

// Weights exact to the last bits of float32. The scale is multiplied into the queries.
template <typename V>
struct ExactSoftmax {
  using Reg = typename V::Reg;
  static constexpr bool k_divides_by_what_was_multiplied = false;

  static Reg query(Reg scale, Reg x) { return V::mul(scale, x); }
  // 2^(scaled score - scaled highest); `shift` is shift_of(highest).
  static Reg shift_of(Reg /*scale*/, Reg highest) { return highest; }
  static Reg weight(Reg /*scale*/, Reg score, Reg shift) { return exp2_lanes<V>(V::sub(score, shift)); }
  // What brings weights that refer to one maximum to a later one.
  static Reg fade(Reg /*scale*/, Reg from, Reg to) { return exp2_lanes<V>(V::sub(from, to)); }
  // fade / sum, with divisor_of(sum) computed once.
  static Reg divisor_of(Reg sum) { return V::div(V::set1(1.0F), sum); }
  static Reg share(Reg fade, Reg divisor) { return V::mul(divisor, fade); }
};

// k_tiles tiles of keys are a chunk.
template <typename V, typename Cells, typename Softmax, typename Products, int k_tiles>
class AttentionKernel {
  using Reg = typename V::Reg;
  static constexpr int64_t k_keys = Products::k_keys;
  static constexpr int64_t k_lanes = V::k_lanes;
  static constexpr int64_t k_values = Cells::k_values;
  static constexpr int64_t k_width = k_head_width;
  static constexpr int64_t k_cells = k_width / k_values;  // of a query or key
  static constexpr int64_t k_chunk = k_keys * k_tiles;
  static_assert(k_chunk % k_values == 0 && k_chunk % Products::k_value_keys == 0);

 public:
  static constexpr int64_t k_panel = 2 * k_lanes;

  static void run(const AttentionPanels& job, int64_t first, int64_t last) {
    thread_local Scratch scratch;
    AttentionKernel kernel(job, scratch);
    [[maybe_unused]] const typename Products::Session session;
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
    const int64_t queries = sources * k_cells * k_panel;
    const int64_t weights = job.stream_count * padded_keys_ * k_panel;
    const int64_t maxima = job.stream_count * chunks_ * k_panel;
    const int64_t chunk = k_chunk / k_values * k_panel;
    const int64_t own_rows = (sources + 1) * padded_keys_ * k_cells;
    queries_ = scratch.floats(queries + weights + maxima + chunk + k_panel * k_width + own_rows);
    weights_ = queries_ + queries;
    maxima_ = weights_ + weights;
    chunk_ = maxima_ + maxima;
    sums_ = chunk_ + chunk;
    rows_ = sums_ + k_panel * k_width;
  }

  // The head's keys and values as cells, one after the other: rows far apart would fall on the same cache
  // sets. What lies behind the last key is zero.
  void use_head(int64_t head) {
    if (head == head_) return;
    head_ = head;
    float* own = rows_;
    int source = 0;
    for (int s = 0; s < job_.stream_count; ++s) {
      for (int m = 0; m < job_.streams[s].member_count; ++m) {
        gather_keys(job_.streams[s].members[m].keys, own);
        keys_[source++] = own;
        own += padded_keys_ * k_cells;
      }
    }
    Products::gather_values(job_.values.head(head), job_.values.row_stride, job_.keys, padded_keys_, own);
    values_ = own;
  }

  // Cells that begin with value `c` of a row.
  static Reg cells_of(const float* row, int64_t c) {
    Reg x[k_values];
    for (int64_t v = 0; v < k_values; ++v) x[v] = V::load(row + c + v * k_lanes);
    return Cells::from(x);
  }

  void gather_keys(const HeadRows& rows, float* own) const {
    const float* src = rows.head(head_);
    for (int64_t j = 0; j < job_.keys; ++j, src += rows.row_stride, own += k_cells) {
      for (int64_t c = 0; c < k_cells; c += k_lanes) V::store(own + c, cells_of(src, k_values * c));
    }
    for (int64_t i = 0; i < (padded_keys_ - job_.keys) * k_cells; ++i) own[i] = 0;
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
    Reg total[2] = {V::zero(), V::zero()};
    for (int64_t c = 0; c < chunks_; ++c) {
      combine(c, total);
      add_values(c);
    }
    float* dst = job_.dst + head * job_.dst_head_stride + first * job_.dst_row_stride;
    finish(total, count, dst);
  }

  // sums_ -> dst.
  void finish(const Reg (&total)[2], int64_t count, float* dst) const {
    float share[k_panel];
    if constexpr (Softmax::k_divides_by_what_was_multiplied) {
      for (int h = 0; h < 2; ++h) {
        V::store(share + h * k_lanes, V::div(V::set1(static_cast<float>(job_.stream_count)), total[h]));
      }
    }
    if constexpr (Products::k_sums_lie_across) Products::turn(sums_);
    for (int64_t i = 0; i < count; ++i, dst += job_.dst_row_stride) {
      for (int64_t c = 0; c < k_width; c += k_lanes) {
        const Reg sum = V::load(sums_ + i * k_width + c);
        if constexpr (Softmax::k_divides_by_what_was_multiplied) {
          V::store(dst + c, V::mul(V::set1(share[i]), sum));
        } else {
          V::store(dst + c, sum);
        }
      }
    }
  }

  Reg scale() const { return V::set1(job_.scale * 1.44269504088896340736F); }

  // [count, 64] -> [cells][k_panel]; queries behind the last are zero.
  void pack_queries(const float* src, int64_t stride, int64_t count, int source) {
    const Reg factor = scale();
    float* dst = queries_ + source * k_cells * k_panel;
    for (int64_t half = 0; half < k_panel; half += k_lanes) {
      for (int64_t c = 0; c < k_cells; c += k_lanes) {
        Reg tile[V::k_lanes];
        for (int i = 0; i < V::k_lanes; ++i) {
          const float* row = src + (half + i) * stride;
          tile[i] = half + i < count ? Softmax::query(factor, cells_of(row, k_values * c)) : V::zero();
        }
        V::transpose(tile);
        for (int i = 0; i < V::k_lanes; ++i) V::store(dst + (c + i) * k_panel + half, tile[i]);
      }
    }
  }

  // weights_ of one stream, relative to the largest score up to their chunk's end, and in maxima_ what brings
  // each chunk's to the rows' final maxima and sums.
  void exponentials(int stream, int source) {
    const Reg factor = scale();
    Reg highest[2] = {V::set1(-FLT_MAX), V::set1(-FLT_MAX)};
    Reg sum[2] = {V::zero(), V::zero()};
    float* weights = weights_ + stream * padded_keys_ * k_panel;
    float* maxima = maxima_ + stream * chunks_ * k_panel;
    Products::use_queries(queries_ + source * k_cells * k_panel);
    const int members = job_.streams[stream].member_count;
    if constexpr (Products::k_runs_ahead) {
      for (int64_t tile = 0; tile < keys_of(0); tile += k_keys)
        scores(members, source, 0, tile, weights, highest);
    }
    for (int64_t c = 0; c < chunks_; ++c, weights += k_chunk * k_panel, maxima += k_panel) {
      const int64_t count = keys_of(c);
      Reg now[2] = {highest[0], highest[1]};
      if constexpr (Products::k_runs_ahead) {
        raise(weights, count, now);
      } else {
        for (int64_t tile = 0; tile < count; tile += k_keys) scores(members, source, c, tile, weights, now);
      }
      for (int h = 0; h < 2; ++h) {
        sum[h] = V::mul(sum[h], Softmax::fade(factor, highest[h], now[h]));
        highest[h] = now[h];
        V::store(maxima + h * k_lanes, now[h]);
      }
      const Reg shift[2] = {Softmax::shift_of(factor, now[0]), Softmax::shift_of(factor, now[1])};
      Reg part[2] = {V::zero(), V::zero()};
      const auto weigh = [&](int64_t from, int64_t to) {
        for (int64_t j = from; j < to; ++j) {
          for (int h = 0; h < 2; ++h) {
            float* at = weights + j * k_panel + h * k_lanes;
            const Reg e = Softmax::weight(factor, V::load(at), shift[h]);
            V::store(at, e);
            part[h] = V::add(part[h], e);
          }
        }
      };
      if constexpr (Products::k_runs_ahead) {
        const int64_t next = c + 1 < chunks_ ? keys_of(c + 1) : 0;
        for (int64_t tile = 0; tile < count; tile += k_keys) {
          if (tile < next) scores(members, source, c + 1, tile, weights + k_chunk * k_panel, now);
          weigh(tile, tile + k_keys < count ? tile + k_keys : count);
        }
      } else {
        weigh(0, count);
      }
      for (int h = 0; h < 2; ++h) sum[h] = V::add(sum[h], part[h]);
    }
    // Every chunk's factor, in the place of its maximum.
    const Reg divisor[2] = {Softmax::divisor_of(sum[0]), Softmax::divisor_of(sum[1])};
    maxima = maxima_ + stream * chunks_ * k_panel;
    for (int64_t c = 0; c < chunks_; ++c, maxima += k_panel) {
      for (int h = 0; h < 2; ++h) {
        float* at = maxima + h * k_lanes;
        V::store(at, Softmax::share(Softmax::fade(factor, V::load(at), highest[h]), divisor[h]));
      }
    }
  }

  // Keys [tile, tile + k_keys) of chunk c, into the chunk's weights.
  void scores(int members, int source, int64_t c, int64_t tile, float* weights, Reg (&highest)[2]) const {
    const int64_t left = keys_of(c) - tile;
    Products::scores(members, queries_ + source * k_cells * k_panel, keys_ + source, c * k_chunk + tile,
                     left < k_keys ? left : k_keys, weights + tile * k_panel, highest);
  }

  // Maxima over `count` keys.
  static void raise(const float* scores, int64_t count, Reg (&highest)[2]) {
    constexpr int64_t k_side_by_side = 4;
    Reg own[k_side_by_side][2];
    for (auto& each : own) each[0] = each[1] = V::set1(-FLT_MAX);
    int64_t j = 0;
    for (; j + k_side_by_side <= count; j += k_side_by_side) {
      for (int64_t r = 0; r < k_side_by_side; ++r) {
        for (int h = 0; h < 2; ++h) {
          own[r][h] = V::max(V::load(scores + (j + r) * k_panel + h * k_lanes), own[r][h]);
        }
      }
    }
    for (; j < count; ++j) {
      for (int h = 0; h < 2; ++h) own[0][h] = V::max(V::load(scores + j * k_panel + h * k_lanes), own[0][h]);
    }
    for (const auto& each : own) {
      for (int h = 0; h < 2; ++h) highest[h] = V::max(each[h], highest[h]);
    }
  }

  // chunk_ = sum over streams of factor * exponentials as cells along the keys, [cell][query]; where what was
  // multiplied is divided by, its sums are added to `total`.
  void combine(int64_t c, Reg (&total)[2]) {
    const int64_t count = keys_of(c);
    const float* weights = weights_ + c * k_chunk * k_panel;
    const float* factors = maxima_ + c * k_panel;
    const int64_t next = padded_keys_ * k_panel;
    const int64_t next_factor = chunks_ * k_panel;
    for (int h = 0; h < 2; ++h) {
      Reg f[k_most_streams];
      for (int s = 0; s < job_.stream_count; ++s) f[s] = V::load(factors + s * next_factor + h * k_lanes);
      const float* src = weights + h * k_lanes;
      float* dst = chunk_ + h * k_lanes;
      const auto store_cells = [&](auto weight) {
        Reg sum = total[h];
        for (int64_t j = 0; j < count; j += k_values) {
          Reg x[k_values];
          for (int64_t v = 0; v < k_values; ++v) {
            x[v] = v == 0 || j + v < count ? weight(src + (j + v) * k_panel) : V::zero();
          }
          const Reg cell = Cells::across(x);
          V::store(dst + j / k_values * k_panel, cell);
          if constexpr (Softmax::k_divides_by_what_was_multiplied) sum = Cells::dot(cell, Cells::ones(), sum);
        }
        total[h] = sum;
        for (int64_t j = (count + k_values - 1) / k_values; j % (Products::k_value_keys / k_values) != 0;
             ++j) {
          V::store(dst + j * k_panel, V::zero());
        }
      };
      const auto one = [&](const float* at) { return V::mul(f[0], V::load(at)); };
      const auto two = [&](const float* at) { return V::fma(f[1], V::load(at + next), one(at)); };
      if (job_.stream_count == 1) {
        store_cells(one);
      } else if (job_.stream_count == 2) {
        store_cells(two);
      } else {
        store_cells([&](const float* at) { return V::fma(f[2], V::load(at + 2 * next), two(at)); });
      }
    }
  }

  void add_values(int64_t c) {
    const int64_t cells = (keys_of(c) + k_values - 1) / k_values;
    Products::add_values(chunk_, values_ + c * k_chunk * k_cells, cells, c == 0, sums_);
  }

  int64_t keys_of(int64_t chunk) const {
    const int64_t left = job_.keys - chunk * k_chunk;
    return left < k_chunk ? left : k_chunk;
  }

  const AttentionPanels& job_;
  int64_t chunks_ = 0;
  int64_t padded_keys_ = 0;
  int64_t head_ = -1;
  const float* keys_[k_most_streams * k_most_streams] = {};  // [padded_keys_][cells]
  const float* values_ = nullptr;                            // padded_keys_ / k_values * 64 cells
  float* queries_ = nullptr;                                 // [sources][cells][k_panel]
  float* weights_ = nullptr;                                 // [streams][padded_keys_][k_panel]
  float* maxima_ = nullptr;  // [streams][chunks_][k_panel]: maxima, then factors
  float* chunk_ = nullptr;   // [k_chunk / k_values][k_panel]
  float* sums_ = nullptr;    // [k_panel][64], or across
  float* rows_ = nullptr;    // the head's keys and values
};

}  // namespace
}  // namespace crane::kernels
