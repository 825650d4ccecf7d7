// What learning prompts leaves on disk: the prompts for others, and its own state for going on (method.md 5,
// "Checkpoint").
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "text/tower.h"
#include "train/saved_training.h"

namespace crane::train {

// The authors' checkpoint: {"prompt_learner": {ctx_pos [1, 1, n, w], ..., compound_prompts_text.i [m, w]}}
// with the texts' ids and embedded tokens that their code expects, and `further` tensors. Whole or not at
// all. E_IO_WRITE.
void write_prompt_checkpoint(const std::string& path, const text::TextTower& tower,
                             const text::PromptSet& prompts, const Parameters& further = {});

// The same vectors and ids, without embedded tokens, as safetensors with metadata. Whole or not at all.
// E_IO_WRITE.
void write_prompts(const std::string& path, const text::PromptSet& prompts,
                   const std::map<std::string, std::string>& metadata);

// The learned ones of a set under the checkpoint's names, in its order: context of both texts, then the deep
// tokens.
Parameters learned_prompts(const text::PromptSet& prompts);
// What else of a set must be saved for load_prompt_training(): ids and embedded tokens.
Parameters prompt_extras(const text::PromptSet& prompts);

struct SavedPrompts {
  text::PromptSet prompts;
  std::vector<Adam::Moments> moments;
  int64_t steps = 0;
};

// Errors: E_TRAIN_RESUME when the file is no saved training or does not fit the text tower; those of the
// readers.
SavedPrompts load_prompt_training(const std::string& path, int64_t text_width, at::Device device);

struct FreshPrompts {
  uint64_t seed = 0;
  int64_t context_rows = 0;  // of each text
  int64_t deep_blocks = 0;   // blocks with deep tokens, from the second on
  int64_t deep_tokens = 0;   // in each
  std::array<std::vector<int64_t>, text::k_pair> ids;
};

// Entries drawn from N(0, 0.02^2): context of both texts, then the deep tokens, from one generator.
text::PromptSet fresh_prompts(const FreshPrompts& request, int64_t text_width, at::Device device);

}  // namespace crane::train
