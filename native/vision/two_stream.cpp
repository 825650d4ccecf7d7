#include "vision/two_stream.h"

#include <algorithm>
#include <iomanip>

#include "attention/plain.h"
#include "core/cancel.h"
#include "core/error.h"

namespace crane::vision {
namespace {

bool contains(const std::vector<int64_t>& list, int64_t value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

std::string stage(int64_t block, const char* suffix) {
  std::ostringstream name;
  name << "stage.block" << std::setw(2) << std::setfill('0') << block << suffix;
  return name.str();
}

// The two streams while the last blocks run.
struct Streams {
  at::Tensor p;  // plain, [B, 1 + N, width]
  at::Tensor e;  // second, same shape
};

// V of the patches as D-Attn reads it (method.md 4): from LN1 of the plain stream after this block's
// attention. In the first two-stream block the reference reads e after its update instead (fixtures.md 4,
// step 2).
at::Tensor values_at_patches(const layers::FrozenBlock& block, const at::Tensor& stream, Trace* trace) {
  if (trace) trace->record("stage.dattn.input_ln1", block.ln1()(stream));
  return block.values(stream).slice(1, 1);
}

}  // namespace

TwoStreamFeatures two_stream_forward(const Tower& tower, const at::Tensor& image,
                                     const TwoStreamRequest& request, Trace* trace) {
  const std::vector<layers::FrozenBlock>& blocks = tower.blocks();
  const int64_t count = static_cast<int64_t>(blocks.size());
  const int64_t first = count - request.two_stream_blocks;  // 0-based
  CRANE_CHECK_INVARIANT(tower.registers() == 0 && first >= 0 && request.two_stream_blocks > 0,
                        "two streams in the last ", request.two_stream_blocks, " of ", count, " blocks");
  TwoStreamFeatures result;
  Streams s;
  s.p = tower.embed(image);
  if (trace) trace->record("stage.ln_pre", s.p);

  for (int64_t i = 0; i < first; ++i) {
    check_shutdown();
    blocks[i].forward(s.p);
    if (trace) trace->record(stage(i + 1, ""), s.p);
  }
  s.e = s.p.clone();

  for (int64_t i = first; i < count; ++i) {
    check_shutdown();
    const layers::FrozenBlock& block = blocks[i];
    const bool is_last = i + 1 == count;
    const bool wants_values = contains(request.value_blocks, i + 1);
    const layers::Projections x = block.project(s.p);
    const double scale = block.attention_scale();

    // e = e + W_o a_self + b_o: the E-Attn sum, b_o once whatever the number of softmaxes.
    block.add_attended(s.e,
                       attention::self_correlation(x.q, x.k, x.v, request.set, scale, block.precision()));

    // Nothing reads the patches of the plain stream after the last block: the class token's row is enough.
    const bool only_cls = is_last && !trace && !wants_values;
    const at::Tensor queries = only_cls ? x.q.slice(2, 0, 1) : x.q;
    if (only_cls) s.p = s.p.slice(1, 0, 1);
    block.add_attended(
        s.p, attention::plain_attention(queries, x.k, x.v, scale, /*causal=*/false, block.precision()));
    if (wants_values) {
      result.values[i + 1] = values_at_patches(block, i == first ? s.e : s.p, trace);
      if (is_last && !trace) s.p = s.p.slice(1, 0, 1);
    }
    block.add_mlp(s.p);
    if (trace) {
      trace->record(stage(i + 1, ".x"), s.e);
      trace->record(stage(i + 1, ".x_ori"), s.p);
    }
    if (!request.final_only && contains(request.features, i + 1)) result.e.push_back(s.e.slice(1, 1).clone());
  }
  if (request.final_only) result.e.push_back(s.e.slice(1, 1));
  result.cls = s.p.select(1, 0);
  return result;
}

}  // namespace crane::vision
