// What a training leaves on disk: the prompts for others, and its own state for going on (method.md 5,
// "Checkpoint").
#pragma once

#include <map>
#include <string>
#include <vector>

#include "text/tower.h"
#include "train/options.h"
#include "train/prompt_trainer.h"

namespace crane::train {

// The authors' checkpoint: {"prompt_learner": {ctx_pos [1, 1, n, w], ..., compound_prompts_text.i [m, w]}}
// with the texts' ids and embedded tokens that their code expects. Whole or not at all. E_IO_WRITE.
void write_checkpoint(const std::string& path, const text::TextTower& tower, const text::PromptSet& prompts);

// The same vectors and ids, without embedded tokens, as safetensors with metadata. Whole or not at all.
// E_IO_WRITE.
void write_prompts(const std::string& path, const text::PromptSet& prompts,
                   const std::map<std::string, std::string>& metadata);

// Everything that the next step depends on, and the caller's own tensors. Whole or not at all. E_IO_WRITE.
void save_training(const std::string& path, const PromptTrainer& trainer,
                   const std::vector<ExtraTensor>& extra, const std::map<std::string, std::string>& metadata);

struct SavedTraining {
  text::PromptSet prompts;
  std::vector<PromptTrainer::Moments> moments;
  int64_t steps = 0;
};

// Errors: E_TRAIN_RESUME when the file is no saved training or does not fit the text tower; those of the
// readers.
SavedTraining load_training(const std::string& path, int64_t text_width, at::Device device);

// Entries drawn from N(0, 0.02^2): context of both texts, then the deep tokens, from one generator.
text::PromptSet fresh_prompts(const FreshPrompts& request, int64_t text_width, at::Device device);

}  // namespace crane::train
