// attention_panels.h with bfloat16 products; sums, maxima, exponentials and their sums are float32.
//
// As in attention_panels_kernel.h vectors run along queries for the scores and along channels for the product
// with the values. Queries and keys are pairs along the head's width, weights and values pairs along the
// keys. The scale multiplies the scores, so that queries are rounded as they are.
//
// Weights are normalised and added in float32, then rounded; each row is divided by the sum of what was
// rounded, which costs one more product for a pair of keys: so equal values come out as they went in, and a
// row whose weight lies on few keys does not keep their rounding.
#if defined(__x86_64__)

#include <cfloat>

#include "kernels/attention_panels.h"
#include "kernels/faces.h"
#include "kernels/scratch.h"
#include "kernels/vec_avx512bf16.h"

namespace crane::kernels {
namespace {

using Reg = Vec::Reg;

constexpr int64_t k_lanes = Vec::k_lanes;
constexpr int64_t k_panel = 2 * k_lanes;
constexpr int64_t k_width = k_head_width;
constexpr int64_t k_cells = k_width / 2;  // of a query or key
// Of 32 registers: 14 keys x 2 vectors of scores, or 7 queries x 4 vectors of channels.
constexpr int k_keys = 14;
constexpr int k_value_rows = 7;
constexpr int k_value_vectors = 4;
constexpr int64_t k_chunk = k_keys * 8;  // scores, or weights with values and sums, stay in 32 KB

class Kernel {
 public:
  static void run(const AttentionPanels& job, int64_t first, int64_t last) {
    thread_local Scratch scratch;
    Kernel kernel(job, scratch);
    const int64_t panels = (job.queries + k_panel - 1) / k_panel;
    for (int64_t task = first; task < last; ++task) {
      kernel.use_head(task / panels);
      kernel.panel(task / panels, task % panels * k_panel);
    }
  }

 private:
  Kernel(const AttentionPanels& job, Scratch& scratch) : job_(job) {
    chunks_ = (job.keys + k_chunk - 1) / k_chunk;
    padded_keys_ = chunks_ * k_chunk;
    int64_t sources = 0;
    for (int s = 0; s < job.stream_count; ++s) sources += job.streams[s].member_count;
    const int64_t queries = sources * k_cells * k_panel;
    const int64_t weights = job.stream_count * padded_keys_ * k_panel;
    const int64_t maxima = job.stream_count * chunks_ * k_panel;
    const int64_t chunk = k_chunk / 2 * k_panel;
    const int64_t own_rows = (sources + 1) * padded_keys_ * k_cells;
    queries_ = scratch.floats(queries + weights + maxima + chunk + k_panel * k_width + own_rows);
    weights_ = queries_ + queries;
    maxima_ = weights_ + weights;
    chunk_ = maxima_ + maxima;
    sums_ = chunk_ + chunk;
    rows_ = sums_ + k_panel * k_width;
  }

  // The head's keys and values as pairs, one after the other; what lies behind the last key is zero.
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
    gather_values(own);
    values_ = own;
  }

  void gather_keys(const HeadRows& rows, float* own) const {
    const float* src = rows.head(head_);
    for (int64_t j = 0; j < job_.keys; ++j, src += rows.row_stride, own += k_cells) {
      for (int64_t c = 0; c < k_width; c += 2 * k_lanes) {
        Vec::store(own + c / 2, Pairs::of_neighbours(Vec::load(src + c), Vec::load(src + c + k_lanes)));
      }
    }
    for (int64_t i = 0; i < (padded_keys_ - job_.keys) * k_cells; ++i) own[i] = 0;
  }

  void gather_values(float* own) const {
    const float* src = job_.values.head(head_);
    const int64_t stride = job_.values.row_stride;
    for (int64_t j = 0; j < padded_keys_; j += 2, src += 2 * stride, own += k_width) {
      for (int64_t c = 0; c < k_width; c += k_lanes) {
        const Reg low = j < job_.keys ? Vec::load(src + c) : Vec::zero();
        const Reg high = j + 1 < job_.keys ? Vec::load(src + stride + c) : Vec::zero();
        Vec::store(own + c, Pairs::of_lanes(low, high));
      }
    }
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
    Reg total[2] = {Vec::zero(), Vec::zero()};
    for (int64_t c = 0; c < chunks_; ++c) {
      combine(c, total);
      add_values(c);
    }
    float share[k_panel];
    for (int h = 0; h < 2; ++h) {
      Vec::store(share + h * k_lanes, Vec::div(Vec::set1(static_cast<float>(job_.stream_count)), total[h]));
    }
    for (int64_t i = 0; i < count; ++i) {
      float* dst = job_.dst + head * job_.dst_head_stride + (first + i) * job_.dst_row_stride;
      const Reg x = Vec::set1(share[i]);
      for (int64_t c = 0; c < k_width; c += k_lanes) {
        Vec::store(dst + c, Vec::mul(x, Vec::load(sums_ + i * k_width + c)));
      }
    }
  }

  // [count, 64] -> [32 cells][k_panel]; queries behind the last are zero.
  void pack_queries(const float* src, int64_t stride, int64_t count, int source) {
    float* dst = queries_ + source * k_cells * k_panel;
    for (int64_t half = 0; half < k_panel; half += k_lanes) {
      for (int64_t c = 0; c < k_cells; c += k_lanes) {
        Reg tile[k_lanes];
        for (int64_t i = 0; i < k_lanes; ++i) {
          const float* row = src + (half + i) * stride + 2 * c;
          tile[i] =
              half + i < count ? Pairs::of_neighbours(Vec::load(row), Vec::load(row + k_lanes)) : Vec::zero();
        }
        Vec::transpose(tile);
        for (int64_t i = 0; i < k_lanes; ++i) Vec::store(dst + (c + i) * k_panel + half, tile[i]);
      }
    }
  }

  // weights_ of one stream, relative to the largest score up to their chunk's end, and in maxima_ what brings
  // each chunk's to the rows' final maxima and sums.
  void exponentials(int stream, int source) {
    const Reg scale = Vec::set1(job_.scale * 1.44269504088896340736F);
    Reg highest[2] = {Vec::set1(-FLT_MAX), Vec::set1(-FLT_MAX)};
    Reg sum[2] = {Vec::zero(), Vec::zero()};
    float* weights = weights_ + stream * padded_keys_ * k_panel;
    float* maxima = maxima_ + stream * chunks_ * k_panel;
    for (int64_t c = 0; c < chunks_; ++c, weights += k_chunk * k_panel, maxima += k_panel) {
      const int64_t count = keys_of(c);
      Reg now[2] = {highest[0], highest[1]};
      for (int64_t tile = 0; tile < count; tile += k_keys) {
        const int64_t valid = count - tile < k_keys ? count - tile : k_keys;
        scores(job_.streams[stream].member_count, source, c * k_chunk + tile, valid, weights + tile * k_panel,
               now);
      }
      Reg part[2] = {Vec::zero(), Vec::zero()};
      for (int h = 0; h < 2; ++h) {
        sum[h] = Vec::mul(sum[h], short_exp2_lanes(Vec::mul(scale, Vec::sub(highest[h], now[h]))));
        highest[h] = now[h];
        Vec::store(maxima + h * k_lanes, now[h]);
      }
      const Reg shift[2] = {Vec::mul(scale, now[0]), Vec::mul(scale, now[1])};
      for (int64_t j = 0; j < count; ++j) {
        for (int h = 0; h < 2; ++h) {
          float* at = weights + j * k_panel + h * k_lanes;
          const Reg e = short_exp2_lanes(_mm512_fmsub_ps(scale, Vec::load(at), shift[h]));
          Vec::store(at, e);
          part[h] = Vec::add(part[h], e);
        }
      }
      for (int h = 0; h < 2; ++h) sum[h] = Vec::add(sum[h], part[h]);
    }
    // Every chunk's factor, in the place of its maximum.
    maxima = maxima_ + stream * chunks_ * k_panel;
    for (int64_t c = 0; c < chunks_; ++c, maxima += k_panel) {
      for (int h = 0; h < 2; ++h) {
        float* at = maxima + h * k_lanes;
        const Reg e = short_exp2_lanes(Vec::mul(scale, Vec::sub(Vec::load(at), highest[h])));
        Vec::store(at, Vec::div(e, sum[h]));
      }
    }
  }

  // One tile of scores, [k_keys][k_panel], and the maxima over its first `valid` keys.
  __attribute__((noinline)) void scores(int members, int source, int64_t first_key, int64_t valid, float* dst,
                                        Reg (&highest)[2]) const {
    Reg sum[k_keys][2];
#pragma GCC unroll 16
    for (int r = 0; r < k_keys; ++r) sum[r][0] = sum[r][1] = Vec::zero();
    for (int m = 0; m < members; ++m) {
      const float* a = queries_ + (source + m) * k_cells * k_panel;
      const float* b = keys_[source + m] + first_key * k_cells;
      for (int64_t k = 0; k < k_cells; ++k, a += k_panel, ++b) {
        const Reg a0 = Vec::load(a);
        const Reg a1 = Vec::load(a + k_lanes);
#pragma GCC unroll 16
        for (int r = 0; r < k_keys; ++r) {
          const Reg x = Vec::set1(b[r * k_cells]);
          sum[r][0] = Pairs::dot(x, a0, sum[r][0]);
          sum[r][1] = Pairs::dot(x, a1, sum[r][1]);
        }
      }
    }
#pragma GCC unroll 16
    for (int r = 0; r < k_keys; ++r) {
      Vec::store(dst + r * k_panel, sum[r][0]);
      Vec::store(dst + r * k_panel + k_lanes, sum[r][1]);
    }
    if (valid == k_keys) {
#pragma GCC unroll 16
      for (int r = 0; r < k_keys; ++r) {
        for (int h = 0; h < 2; ++h) highest[h] = Vec::max(sum[r][h], highest[h]);
      }
    } else {
      for (int64_t r = 0; r < valid; ++r) {
        for (int h = 0; h < 2; ++h) {
          highest[h] = Vec::max(Vec::load(dst + r * k_panel + h * k_lanes), highest[h]);
        }
      }
    }
  }

  // chunk_ = sum over streams of factor * exponentials, rounded, as [pair of keys][query]; their sums are
  // added to `total`.
  void combine(int64_t c, Reg (&total)[2]) {
    const int64_t count = keys_of(c);
    const float* weights = weights_ + c * k_chunk * k_panel;
    const float* factors = maxima_ + c * k_panel;
    const int64_t next = padded_keys_ * k_panel;
    const int64_t next_factor = chunks_ * k_panel;
    for (int h = 0; h < 2; ++h) {
      Reg f[k_most_streams];
      for (int s = 0; s < job_.stream_count; ++s) {
        f[s] = Vec::load(factors + s * next_factor + h * k_lanes);
      }
      const float* src = weights + h * k_lanes;
      float* dst = chunk_ + h * k_lanes;
      const auto add_pairs = [&](auto weight) {
        Reg sum = total[h];
        for (int64_t j = 0; j < count; j += 2) {
          const Reg low = weight(src + j * k_panel);
          const Reg high = j + 1 < count ? weight(src + (j + 1) * k_panel) : Vec::zero();
          const Reg pair = Pairs::of_lanes(low, high);
          Vec::store(dst + j / 2 * k_panel, pair);
          sum = Pairs::dot(pair, Pairs::ones(), sum);
        }
        total[h] = sum;
      };
      const auto one = [&](const float* at) { return Vec::mul(f[0], Vec::load(at)); };
      const auto two = [&](const float* at) { return Vec::fma(f[1], Vec::load(at + next), one(at)); };
      if (job_.stream_count == 1) {
        add_pairs(one);
      } else if (job_.stream_count == 2) {
        add_pairs(two);
      } else {
        add_pairs([&](const float* at) { return Vec::fma(f[2], Vec::load(at + 2 * next), two(at)); });
      }
    }
  }

  // sums_ [query][64] += chunk's weights times its values.
  void add_values(int64_t c) {
    const int64_t pairs = (keys_of(c) + 1) / 2;
    const float* values = values_ + c * k_chunk * k_cells;
    constexpr int64_t parts = (k_panel + k_value_rows - 1) / k_value_rows;
    int64_t row = 0;
    for (int64_t part = 0; part < parts; ++part) {
      // Parts of k_value_rows and k_value_rows - 1 rows that add up to the panel.
      if (part < k_panel - parts * (k_value_rows - 1)) {
        product<k_value_rows>(row, values, pairs, c == 0);
        row += k_value_rows;
      } else {
        product<k_value_rows - 1>(row, values, pairs, c == 0);
        row += k_value_rows - 1;
      }
    }
  }

  template <int k_rows>
  __attribute__((noinline)) void product(int64_t row, const float* values, int64_t pairs,
                                         bool is_first) const {
    Reg sum[k_rows][k_value_vectors];
    float* dst = sums_ + row * k_width;
#pragma GCC unroll 16
    for (int r = 0; r < k_rows; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < k_value_vectors; ++v) {
        sum[r][v] = is_first ? Vec::zero() : Vec::load(dst + r * k_width + v * k_lanes);
      }
    }
    const float* weights = chunk_ + row;
    for (int64_t j = 0; j < pairs; ++j, weights += k_panel, values += k_width) {
      Reg b[k_value_vectors];
#pragma GCC unroll 4
      for (int v = 0; v < k_value_vectors; ++v) b[v] = Vec::load(values + v * k_lanes);
#pragma GCC unroll 16
      for (int r = 0; r < k_rows; ++r) {
        const Reg x = Vec::set1(weights[r]);
#pragma GCC unroll 4
        for (int v = 0; v < k_value_vectors; ++v) sum[r][v] = Pairs::dot(x, b[v], sum[r][v]);
      }
    }
#pragma GCC unroll 16
    for (int r = 0; r < k_rows; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < k_value_vectors; ++v) Vec::store(dst + r * k_width + v * k_lanes, sum[r][v]);
    }
  }

  int64_t keys_of(int64_t chunk) const {
    const int64_t left = job_.keys - chunk * k_chunk;
    return left < k_chunk ? left : k_chunk;
  }

  const AttentionPanels& job_;
  int64_t chunks_ = 0;
  int64_t padded_keys_ = 0;
  int64_t head_ = -1;
  const float* keys_[k_most_streams * k_most_streams] = {};  // [padded_keys_][32 cells]
  const float* values_ = nullptr;                            // [padded_keys_ / 2][64 cells]
  float* queries_ = nullptr;                                 // [sources][32 cells][k_panel]
  float* weights_ = nullptr;                                 // [streams][padded_keys_][k_panel]
  float* maxima_ = nullptr;  // [streams][chunks_][k_panel]: maxima, then factors
  float* chunk_ = nullptr;   // [k_chunk / 2 cells][k_panel]
  float* sums_ = nullptr;    // [k_panel][64]
  float* rows_ = nullptr;    // the head's keys and values
};

}  // namespace

const AttentionFace k_attention_avx512bf16 = {k_panel, Kernel::run};

}  // namespace crane::kernels

#endif
