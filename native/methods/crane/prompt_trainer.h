// Learns a prompt set by Adam (method.md 7). The towers are frozen; only the text tower runs, forward and
// backward.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "methods/crane/prompt_loss.h"
#include "text/tower.h"
#include "train/adam.h"
#include "train/saved_training.h"

namespace crane::methods {

class PromptTrainer {
 public:
  // `tower` must outlive this and have been loaded outside inference mode. `start` is copied.
  PromptTrainer(const text::TextTower& tower, const text::PromptSet& start, PromptTraining options);

  // Goes on where another trainer was after `steps` steps; one pair of moments per learned tensor.
  void restore(std::vector<train::Adam::Moments> moments, int64_t steps) {
    adam_.restore(std::move(moments), steps);
  }

  // One step of the optimiser. Errors: E_TRAIN_DIVERGED when loss or gradient is not finite; nothing is
  // changed then.
  train::StepLosses step(const BatchFeatures& features, const PixelLabels& pixels, const at::Tensor& labels,
                         Trace* trace = nullptr);

  // Learned tensors under the checkpoint's names, in its order; gradients are those of the last step.
  train::Parameters parameters() const;
  train::Parameters gradients() const;
  const PromptTraining& options() const noexcept { return options_; }
  const train::Adam& adam() const noexcept { return adam_; }  // in the order of parameters()
  const text::PromptSet& prompts() const noexcept { return prompts_; }

 private:
  const text::TextTower& tower_;
  PromptTraining options_;
  text::PromptSet prompts_;
  train::Adam adam_;
};

}  // namespace crane::methods
