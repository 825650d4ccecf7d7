// A learned prompt set: context rows in place of the twelve X, and deep tokens for the first blocks
// (method.md 5).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "tensors/torch_headers.h"
#include "text/guidance.h"

namespace crane::text {

// Order of the pair everywhere: [normal, anomalous].
inline constexpr int k_pair = 2;

struct PromptSet {
  std::array<at::Tensor, k_pair> context;        // [n, width] each
  std::vector<at::Tensor> deep;                  // per block from the second on: [m, width]
  std::array<std::vector<int64_t>, k_pair> ids;  // token ids, start to padding
  // Embedded start row [1, width] and rows after the context [.., width] from the checkpoint; may be
  // undefined.
  std::array<at::Tensor, k_pair> stored_start;
  std::array<at::Tensor, k_pair> stored_suffix;
  // The stored rows count before the token table's (compat.storedTokens); else only where that lacks a row.
  bool prefers_stored = false;

  int64_t context_rows() const { return context[0].size(0); }
  int64_t width() const { return context[0].size(1); }
};

// Context rows take the places of placeholders, equal tokens at the beginning of a text: with more or fewer
// of them than rows, words would be overwritten, or placeholders read as words. where: what the set comes
// from. Errors: `code`.
void check_placeholders(const PromptSet& prompts, const std::string& where, const std::string& code);

// Reads a checkpoint of the authors (.pth) or our safetensors form. `ids` are those of the two texts;
// a file that brings its own ids was learned with those and keeps them.
// Errors: E_WEIGHTS_* of the readers, E_PROMPTS when the vectors do not fit `text_width` or the texts.
PromptSet load_prompts(const std::string& path, std::array<std::vector<int64_t>, k_pair> ids,
                       int64_t text_width, at::Device device);

}  // namespace crane::text
