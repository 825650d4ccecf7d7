// CLIP's text tower over learned prompts: two vectors, normal and anomalous (method.md 5).
#pragma once

#include <optional>
#include <span>
#include <unordered_map>

#include "layers/block.h"
#include "tensors/trace.h"
#include "text/config.h"
#include "text/prompts.h"
#include "weights/name_map.h"

namespace crane::text {

struct EncodeOptions {
  Guidance guidance = Guidance::none;
  bool half_deep_tokens = true;  // deep tokens are rounded to half precision in the forward pass
};

struct TextFeatures {
  at::Tensor raw;   // [B, 2, D] before normalising
  at::Tensor unit;  // [B, 2, D]
};

class TextTower {
 public:
  // Errors: the E_WEIGHTS_* codes, E_MODEL_CONFIG.
  static TextTower load(const weights::CanonicalWeights& weights, const TextConfig& config,
                        at::Device device);

  // image_features [B, D] unit rows for a guidance other than none, else undefined (then B = 1).
  // Rows after the end-of-text token never reach it (causal mask) and are cut, except when traced.
  // Errors: E_PROMPTS when token rows are missing, prompts are too long or too deep, or guidance does not
  // fit.
  TextFeatures encode(const PromptSet& prompts, const EncodeOptions& options,
                      const at::Tensor& image_features, Trace* trace) const;

  // The same for a batch of pictures, where the rows that all of them share run once: with pad-suffix
  // guidance these are the start, the context and their keys and values (causal mask). Equal to encode() up
  // to rounding; meant for training, where the gradient of what is shared is added up before it passes the
  // cast of the deep tokens.
  TextFeatures encode_batch(const PromptSet& prompts, const EncodeOptions& options,
                            const at::Tensor& image_features) const;

  // Sentences as they are, each as ids from start to padding -> [S, D] before normalising. `deep` as in a
  // prompt set; in training each sentence's gradient passes the cast of the deep tokens before they are
  // added. Errors: E_PROMPTS when there is none, a token has no row, or one does not fit the positions.
  at::Tensor encode_sentences(std::span<const std::vector<int64_t>> sentences,
                              const std::vector<at::Tensor>& deep = {}, bool half_deep_tokens = true) const;

  // Embedded tokens from `first` to the end of a text's ids, without positions, [rows, width]: what a
  // checkpoint of the authors stores beside the learned vectors. Padding whose row the table lacks is zero.
  at::Tensor embedded_tokens(const PromptSet& prompts, int c, int64_t first, int64_t count) const;

  int64_t width() const { return positions_.size(1); }
  int64_t context_length() const { return positions_.size(0); }
  int64_t heads() const { return blocks_.front().heads; }
  int64_t layer_count() const { return static_cast<int64_t>(blocks_.size()); }
  int64_t joint_width() const { return projection_.defined() ? projection_.size(1) : width(); }
  int64_t parameters() const noexcept { return parameters_; }

 private:
  // Rows of the embedded prompt before positions: [B, rows, width]; `end` receives the end-of-text row.
  at::Tensor embed_prompt(const PromptSet& prompts, int c, const EncodeOptions& options,
                          const at::Tensor& image_features, bool whole, int64_t* end) const;
  at::Tensor token_row(const PromptSet& prompts, int c, int64_t position) const;
  // Row of the token table; nothing where it holds no row for the id.
  std::optional<int64_t> table_row(int64_t id) const;
  // x [B, rows, width] with positions -> after the last block, rows 1 to m replaced by the deep tokens of
  // their block.
  at::Tensor run_blocks(at::Tensor x, const std::vector<at::Tensor>& deep, bool half, Trace* trace) const;
  // End-of-text rows [.., width] -> ln_final and the projection.
  at::Tensor to_joint(const at::Tensor& rows) const;
  TextFeatures project(const std::vector<at::Tensor>& pair) const;

  at::Tensor tokens_;                               // [rows, width]
  std::unordered_map<int64_t, int64_t> row_of_id_;  // empty: row = id
  at::Tensor positions_;
  std::vector<layers::Block> blocks_;
  layers::LayerNorm ln_final_;
  at::Tensor projection_;
  int64_t parameters_ = 0;
};

}  // namespace crane::text
