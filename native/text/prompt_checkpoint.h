// Learned prompts as a file: the authors' checkpoints {"prompt_learner": state_dict}, and the bare names. No
// tensor library.
#pragma once

#include "weights/checkpoint.h"

namespace crane::text {

struct PromptStructure {
  int64_t width = 0;
  int64_t context_vectors = 0;  // n of ctx_pos
  int64_t deep_sets = 0;        // compound_prompts_text.0 ...
  int64_t deep_tokens = 0;      // rows of each
  bool has_token_ids = false;   // tokenized_prompts_pos and _neg
  bool has_token_rows = false;  // token_prefix_* and token_suffix_*
  int64_t parameters = 0;       // the learned ones
};

// text_width 0: any. A prompt set of another width than the text tower, or with more deep tokens than context
// rows: E_PROMPTS.
// Errors: E_WEIGHTS_MISSING, E_WEIGHTS_SHAPE, E_WEIGHTS_DTYPE.
PromptStructure check_prompts(const weights::CanonicalWeights& weights, int64_t text_width);

extern const weights::CheckpointKind k_prompt_checkpoint;

}  // namespace crane::text
