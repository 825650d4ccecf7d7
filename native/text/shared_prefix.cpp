// TextTower::encode_batch: the text tower over a batch of pictures, with the rows before the picture's token
// run once. Row i of a causal tower depends on rows 0..i only, so everything before the first row that holds
// something of the picture is the same for all pictures: its blocks run once per text, and its keys and
// values serve every picture (performance.md "Training").
#include <limits>

#include "attention/plain.h"
#include "core/error.h"
#include "text/tower.h"

namespace crane::text {
namespace {

// Rows [first, first + x.size(1)) of `x.size(0)` sequences.
struct Segment {
  at::Tensor x;  // [b, rows, width]
  int64_t first = 0;

  int64_t sequences() const { return x.size(0); }
  int64_t rows() const { return x.size(1); }
};

// The first row that differs between pictures.
int64_t first_own_row(Guidance guidance, int64_t context_rows) {
  switch (guidance) {
    case Guidance::pad_suffix:
      return context_rows + 1;
    case Guidance::replace_suffix:
      return context_rows;
    case Guidance::pad_prefix:
    case Guidance::replace_prefix:
    case Guidance::none:
      break;
  }
  return 1;
}

// Deep tokens stand in rows 1 .. m: puts those that lie in the segment in their place.
at::Tensor with_deep_tokens(const Segment& segment, const at::Tensor& deep, bool half) {
  const int64_t from = std::max<int64_t>(1, segment.first);
  const int64_t to = std::min(1 + deep.size(0), segment.first + segment.rows());
  if (from >= to) return segment.x;
  // Rounded per sequence, so that in training each one's gradient passes the cast before they are added.
  at::Tensor rows = deep.slice(0, from - 1, to - 1).unsqueeze(0).expand({segment.sequences(), -1, -1});
  if (half) rows = rows.to(at::kHalf).to(at::kFloat);
  return at::cat({segment.x.slice(1, 0, from - segment.first), rows, segment.x.slice(1, to - segment.first)},
                 /*dim=*/1);
}

// All segments' rows below each other, [rows, width]: one matrix product per weight serves them all.
at::Tensor joined(const std::vector<Segment>& segments) {
  std::vector<at::Tensor> rows;
  rows.reserve(segments.size());
  for (const Segment& segment : segments) rows.push_back(segment.x.reshape({-1, segment.x.size(2)}));
  return at::cat(rows, /*dim=*/0);
}

void split(const at::Tensor& rows, std::vector<Segment>& segments) {
  int64_t at = 0;
  for (Segment& segment : segments) {
    const int64_t count = segment.sequences() * segment.rows();
    segment.x = rows.slice(0, at, at + count).view({segment.sequences(), segment.rows(), rows.size(1)});
    at += count;
  }
}

// Attention of a picture's own rows: they see the shared rows and, causally, their own.
// q, k, v [B, H, r, d] of the own rows, shared_k, shared_v [1, H, s, d]; q may hold the last row alone.
at::Tensor own_attention(const layers::Projections& own, const at::Tensor& shared_k,
                         const at::Tensor& shared_v, double scale) {
  const int64_t batch = own.k.size(0);
  const at::Tensor k = at::cat({shared_k.expand({batch, -1, -1, -1}), own.k}, /*dim=*/2);
  const at::Tensor v = at::cat({shared_v.expand({batch, -1, -1, -1}), own.v}, /*dim=*/2);
  at::Tensor scores = at::matmul(own.q * scale, k.transpose(-2, -1));  // [B, H, rows of q, s + r]
  const int64_t rows = own.q.size(2);
  if (rows > 1) {
    const at::Tensor hidden = at::ones({rows, k.size(2)}, scores.options().dtype(at::kBool))
                                  .triu(/*diagonal=*/shared_k.size(2) + 1);
    scores = scores.masked_fill(hidden, -std::numeric_limits<double>::infinity());
  }
  return at::matmul(at::softmax(scores, /*dim=*/-1), v);
}

}  // namespace

TextFeatures TextTower::encode_batch(const PromptSet& prompts, const EncodeOptions& options,
                                     const at::Tensor& image_features) const {
  // Without guidance nothing differs; with one picture nothing is shared.
  if (options.guidance == Guidance::none || image_features.size(0) == 1) {
    return encode(prompts, options, image_features, nullptr);
  }
  check_input(prompts.deep.size() < blocks_.size(), "E_PROMPTS", "the prompt set has deep tokens for ",
              prompts.deep.size(), " blocks, the text tower has ", blocks_.size(), " blocks");
  const int64_t shared = first_own_row(options.guidance, prompts.context_rows());
  const int64_t batch = image_features.size(0);

  // Segment 0: the shared rows of both texts; 1 + c: the own rows of text c.
  std::vector<Segment> segments(1 + k_pair);
  std::vector<at::Tensor> shared_rows;
  for (int c = 0; c < k_pair; ++c) {
    int64_t end = 0;
    const at::Tensor prompt = embed_prompt(prompts, c, options, image_features, /*whole=*/false, &end);
    const at::Tensor x = prompt + positions_.slice(0, 0, prompt.size(1));
    shared_rows.push_back(x.slice(0, 0, 1).slice(1, 0, shared));
    segments[1 + c] = {x.slice(1, shared), shared};
  }
  segments[0] = {at::cat(shared_rows, /*dim=*/0), 0};

  for (size_t i = 0; i < blocks_.size(); ++i) {
    const layers::Block& block = blocks_[i];
    const bool is_last = i + 1 == blocks_.size();
    if (i > 0 && i <= prompts.deep.size()) {
      for (Segment& segment : segments) {
        segment.x = with_deep_tokens(segment, prompts.deep[i - 1], options.half_deep_tokens);
      }
    }
    const at::Tensor rows = joined(segments);
    std::vector<Segment> projected = segments;
    const at::Tensor qkv = block.qkv(block.ln1(rows));
    split(qkv, projected);
    std::vector<layers::Projections> heads;
    heads.reserve(projected.size());
    for (const Segment& segment : projected) heads.push_back(block.split_heads(segment.x));

    // Only the end-of-text rows leave the last block.
    std::vector<at::Tensor> attended;
    if (!is_last) {
      attended.push_back(attention::plain_attention(heads[0].q, heads[0].k, heads[0].v,
                                                    block.attention_scale(),
                                                    /*causal=*/true));
    }
    for (int c = 0; c < k_pair; ++c) {
      layers::Projections own = heads[1 + c];
      if (is_last) own.q = own.q.slice(2, own.q.size(2) - 1);
      attended.push_back(own_attention(own, heads[0].k.slice(0, c, c + 1), heads[0].v.slice(0, c, c + 1),
                                       block.attention_scale()));
    }
    if (is_last) {
      segments.erase(segments.begin());
      for (Segment& segment : segments) segment.x = segment.x.slice(1, segment.rows() - 1);
    }
    std::vector<at::Tensor> side_by_side;
    side_by_side.reserve(attended.size());
    for (const at::Tensor& a : attended) side_by_side.push_back(a.transpose(1, 2).reshape({-1, width()}));
    const at::Tensor x = joined(segments) + block.output_update(at::cat(side_by_side, /*dim=*/0));
    split(x + block.mlp_update(x), segments);
  }
  return project({segments[0].x.reshape({batch, width()}), segments[1].x.reshape({batch, width()})});
}

}  // namespace crane::text
