// A pair of learned prompts as methods share it: its texts and its file as material, and what learning
// begins with.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "methods/method.h"
#include "train/prompt_files.h"

namespace crane::methods {

// One sentence each of the groups "normal" and "anomalous". Errors: E_PROMPTS.
std::array<std::vector<int64_t>, text::k_pair> pair_of_texts(const Material& material,
                                                             std::string_view method);
// These texts with the learned vectors of the file "prompts". stored_tokens: compat.storedTokens.
// Errors: E_PROMPTS, E_WEIGHTS_*.
text::PromptSet load_prompt_pair(const Towers& towers, const Material& material, std::string_view method,
                                 bool stored_tokens);

// Of new prompts.
struct PromptSizes {
  int64_t context_rows = 0;  // of each text
  int64_t deep_blocks = 0;   // blocks with deep tokens, from the second on
  int64_t deep_tokens = 0;   // in each
};

// Moments and steps where a saved training goes on. Errors: E_PROMPTS, E_WEIGHTS_*, E_TRAIN_RESUME.
train::SavedPrompts start_prompts(const Towers& towers, const LearnerStart& start, const PromptSizes& sizes,
                                  std::string_view method, bool stored_tokens);

}  // namespace crane::methods
