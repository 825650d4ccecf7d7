#include "text/tower.h"

#include <ATen/ops/zeros.h>

#include <algorithm>

#include "core/error.h"

namespace crane::text {
namespace {

// The checkpoint's own row; undefined where it brings none.
at::Tensor stored_row(const PromptSet& prompts, int c, int64_t position) {
  if (position == 0) return prompts.stored_start[c].defined() ? prompts.stored_start[c][0] : at::Tensor();
  const int64_t after_context = position - 1 - prompts.context_rows();
  const at::Tensor& suffix = prompts.stored_suffix[c];
  const bool is_there = after_context >= 0 && suffix.defined() && after_context < suffix.size(0);
  return is_there ? suffix[after_context] : at::Tensor();
}

}  // namespace

TextTower TextTower::load(const weights::CanonicalWeights& weights, const TextConfig& config,
                          at::Device device) {
  // Shapes were checked by weights::check_text.
  layers::TensorLoader loader(weights, device);
  TextTower tower;
  tower.tokens_ = loader.required("text.tokens");
  if (loader.has("text.token_ids")) {
    std::vector<int32_t> ids(static_cast<size_t>(tower.tokens_.size(0)));
    weights::read_i32(weights.at("text.token_ids"), ids.data());
    for (size_t row = 0; row < ids.size(); ++row) tower.row_of_id_[ids[row]] = static_cast<int64_t>(row);
  }
  tower.positions_ = loader.required("text.pos");
  const int64_t heads = layers::heads_of(tower.width(), config.heads);
  for (int64_t i = 0; loader.has(join_text("text.blocks.", i, ".qkv.weight")); ++i) {
    tower.blocks_.push_back(layers::Block::load(loader, join_text("text.blocks.", i), heads,
                                                config.activation, config.layer_norm_eps));
  }
  check_input(!tower.blocks_.empty(), "E_WEIGHTS_MISSING", "no text blocks in the weights");
  tower.ln_final_ = loader.layer_norm("text.ln_final", config.layer_norm_eps);
  check_input(tower.ln_final_.defined(), "E_WEIGHTS_MISSING", "the text tower's final LayerNorm is missing");
  tower.projection_ = loader.optional("text.proj");
  tower.parameters_ = loader.parameters();
  return tower;
}

std::optional<int64_t> TextTower::table_row(int64_t id) const {
  if (row_of_id_.empty()) return id >= 0 && id < tokens_.size(0) ? std::optional(id) : std::nullopt;
  const auto row = row_of_id_.find(id);
  return row == row_of_id_.end() ? std::nullopt : std::optional(row->second);
}

// A weight file may hold only some token rows (model.json's `crane-mini`, archives cut for size); the
// checkpoint's own buffers then stand in.
at::Tensor TextTower::token_row(const PromptSet& prompts, int c, int64_t position) const {
  const int64_t id = prompts.ids[c][position];
  const at::Tensor stored = stored_row(prompts, c, position);
  if (prompts.prefers_stored && stored.defined()) return stored;
  if (const auto row = table_row(id)) return tokens_[*row];
  if (stored.defined()) return stored;
  throw Error("E_PROMPTS",
              join_text("token ", id, " of the ", c == 0 ? "normal" : "anomalous",
                        " prompt has no row in the model's token table"),
              "use the texts the model was made for, or a model with the whole vocabulary");
}

at::Tensor TextTower::embed_prompt(const PromptSet& prompts, int c, const EncodeOptions& options,
                                   const at::Tensor& image_features, bool whole, int64_t* end) const {
  const std::vector<int64_t>& ids = prompts.ids[c];
  const int64_t n = prompts.context_rows();
  const bool pads = options.guidance == Guidance::pad_suffix || options.guidance == Guidance::pad_prefix;
  // CLIP marks the end of text by the largest id.
  const int64_t eot = std::max_element(ids.begin(), ids.end()) - ids.begin();
  *end = eot + (pads ? 1 : 0);
  check_input(eot > n && *end < context_length(), "E_PROMPTS", "a prompt of ", eot + 1, " tokens",
              pads ? " and the picture's token" : "", " does not fit ", n, " context rows and ",
              context_length(), " positions");
  const int64_t length = whole ? context_length() : *end + 1;

  const int64_t batch = image_features.defined() ? image_features.size(0) : 1;
  std::vector<at::Tensor> rows{token_row(prompts, c, 0).unsqueeze(0), prompts.context[c]};
  const int64_t suffix_end = std::min<int64_t>(static_cast<int64_t>(ids.size()), length - (pads ? 1 : 0));
  for (int64_t position = n + 1; position < suffix_end; ++position) {
    rows.push_back(token_row(prompts, c, position).unsqueeze(0));
  }
  at::Tensor prompt = at::cat(rows, /*dim=*/0).unsqueeze(0).expand({batch, -1, -1});
  if (options.guidance == Guidance::none) return prompt;

  check_input(image_features.defined() && image_features.size(1) == width(), "E_PROMPTS",
              "guidance needs picture features as wide as the text tower (", width(), ")");
  const at::Tensor g = image_features.unsqueeze(1);  // [B, 1, width]
  const auto with_token = [&](int64_t before, int64_t after) {
    return at::cat({prompt.slice(1, 0, before), g, prompt.slice(1, after)}, /*dim=*/1);
  };
  switch (options.guidance) {
    case Guidance::pad_suffix:
      return with_token(n + 1, n + 1);
    case Guidance::pad_prefix:
      return with_token(1, 1);
    case Guidance::replace_suffix:
      return with_token(n, n + 1);
    case Guidance::replace_prefix:
      return with_token(1, 2);
    case Guidance::none:
      break;
  }
  return prompt;
}

at::Tensor TextTower::run_blocks(at::Tensor x, const std::vector<at::Tensor>& deep, bool half,
                                 Trace* trace) const {
  check_input(deep.size() < blocks_.size(), "E_PROMPTS", "the prompt set has deep tokens for ", deep.size(),
              " blocks, the text tower has ", blocks_.size(), " blocks");
  for (size_t i = 0; i < blocks_.size(); ++i) {
    if (i > 0 && i <= deep.size()) {
      // Rounded per sequence, so that in training each one's gradient passes the cast before they are added.
      at::Tensor rows = deep[i - 1].unsqueeze(0).expand({x.size(0), -1, -1});
      if (half) rows = rows.to(at::kHalf).to(x.scalar_type());
      x = at::cat({x.slice(1, 0, 1), rows, x.slice(1, 1 + rows.size(1))}, /*dim=*/1);
    }
    x = blocks_[i].forward(x, /*causal=*/true);
    if (trace) trace->record(join_text("block", i + 1 < 10 ? "0" : "", i + 1), x.unsqueeze(0));
  }
  return x;
}

TextFeatures TextTower::encode(const PromptSet& prompts, const EncodeOptions& options,
                               const at::Tensor& image_features, Trace* trace) const {
  std::vector<at::Tensor> pair;
  for (int c = 0; c < k_pair; ++c) {
    int64_t end = 0;
    const at::Tensor prompt =
        embed_prompt(prompts, c, options, image_features, /*whole=*/trace != nullptr, &end);
    const at::Tensor x = run_blocks(prompt + positions_.slice(0, 0, prompt.size(1)), prompts.deep,
                                    options.half_deep_tokens, trace);
    if (trace) {
      trace->record("prompts", prompt.unsqueeze(0));
      trace->record("eot_index", at::full({1, prompt.size(0)}, static_cast<double>(end), at::kFloat));
    }
    pair.push_back(x.select(1, end));
  }
  const TextFeatures result = project(pair);
  if (trace) {
    trace->record("features_raw", result.raw);
    trace->record("features_norm", result.unit);
  }
  return result;
}

at::Tensor TextTower::to_joint(const at::Tensor& rows) const {
  const at::Tensor feature = ln_final_(rows);
  return projection_.defined() ? at::matmul(feature, projection_) : feature;
}

// End-of-text rows after the last block, [B, width] of each text.
TextFeatures TextTower::project(const std::vector<at::Tensor>& pair) const {
  std::vector<at::Tensor> raw;
  raw.reserve(pair.size());
  for (const at::Tensor& row : pair) raw.push_back(to_joint(row));
  TextFeatures result;
  result.raw = at::stack(raw, /*dim=*/1);
  result.unit = layers::unit_rows(result.raw);
  return result;
}

at::Tensor TextTower::embedded_tokens(const PromptSet& prompts, int c, int64_t first, int64_t count) const {
  const std::vector<int64_t>& ids = prompts.ids[c];
  const int64_t eot = std::max_element(ids.begin(), ids.end()) - ids.begin();
  std::vector<at::Tensor> rows;
  for (int64_t position = first; position < first + count; ++position) {
    const bool is_known = position <= eot || row_of_id_.empty() || row_of_id_.contains(ids[position]) ||
                          (prompts.prefers_stored && stored_row(prompts, c, position).defined());
    rows.push_back(is_known ? token_row(prompts, c, position) : at::zeros({width()}, positions_.options()));
  }
  return at::stack(rows, /*dim=*/0);
}

}  // namespace crane::text
