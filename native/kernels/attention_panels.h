// Attention over panels of queries: no [M, N] matrix is ever written, only [N, k_panel] for a few queries at
// a time, which stays in the second-level cache.
//
//   dst = [ sum over streams of softmax(sum over members of a b^T * scale) ] v
//
// One stream with one member (q, k) is plain attention; three streams (q, q), (k, k), (v, v) are E-Attn's
// self-correlations, whose normalised weights are added before the one product with v; one stream with three
// members is the joined kind (method.md 3).
#pragma once

#include <cstdint>

namespace crane::kernels {

constexpr int64_t k_head_width = 64;
constexpr int k_most_streams = 3;

// Rows of k_head_width floats for every head.
struct HeadRows {
  const float* data = nullptr;
  int64_t row_stride = 0;
  int64_t head_stride = 0;

  const float* head(int64_t h) const { return data + h * head_stride; }
};

struct ScoreMember {
  HeadRows queries;  // [heads, queries, 64]
  HeadRows keys;     // [heads, keys, 64]
};

struct ScoreStream {
  ScoreMember members[k_most_streams];
  int member_count = 0;
};

struct AttentionPanels {
  ScoreStream streams[k_most_streams];
  int stream_count = 0;
  float scale = 1;  // > 0
  HeadRows values;  // [heads, keys, 64]
  int64_t heads = 0;
  int64_t queries = 0;
  int64_t keys = 0;
  float* dst = nullptr;  // [heads, queries, 64] through its strides
  int64_t dst_row_stride = 0;
  int64_t dst_head_stride = 0;
};

// Work comes in tasks numbered head by head, panel by panel. Every task's result depends on the job alone,
// so any split of [0, tasks) over threads gives the same bits.
struct AttentionFace {
  int64_t panel;  // queries of a task
  // Tasks [first, last), with the calling thread's own scratch memory.
  void (*run)(const AttentionPanels& job, int64_t first, int64_t last);

  int64_t tasks(const AttentionPanels& job) const { return job.heads * ((job.queries + panel - 1) / panel); }
};

}  // namespace crane::kernels
