// Learns a prompt set by Adam (method.md 7). The towers are frozen; only the text tower runs, forward and
// backward.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "text/tower.h"
#include "train/losses.h"
#include "train/options.h"

namespace crane::train {

class PromptTrainer {
 public:
  // Adam's running means of one learned tensor's gradient and of its square.
  struct Moments {
    at::Tensor first;
    at::Tensor second;
  };

  // `tower` must outlive this and have been loaded outside inference mode. `start` is copied.
  PromptTrainer(const text::TextTower& tower, const text::PromptSet& start, TrainOptions options);
  // Goes on where another trainer was after `steps` steps; one pair of moments per learned tensor.
  PromptTrainer(const text::TextTower& tower, const text::PromptSet& start, TrainOptions options,
                std::vector<Moments> moments, int64_t steps);

  // One step of the optimiser. Errors: E_TRAIN_DIVERGED when loss or gradient is not finite; nothing is
  // changed then.
  StepLosses step(const Features& features, const CellCounts& cells, const at::Tensor& labels,
                  Trace* trace = nullptr);

  // Learned tensors under the checkpoint's names, in its order; gradients are those of the last step.
  std::vector<std::pair<std::string, at::Tensor>> parameters() const;
  std::vector<std::pair<std::string, at::Tensor>> gradients() const;
  const std::vector<Moments>& moments() const noexcept { return moments_; }  // in the order of parameters()
  const text::PromptSet& prompts() const noexcept { return prompts_; }
  int64_t steps() const noexcept { return steps_; }

 private:
  std::vector<at::Tensor*> learned();
  void adam(at::Tensor& parameter, Moments& moments) const;

  const text::TextTower& tower_;
  TrainOptions options_;
  text::PromptSet prompts_;
  std::vector<Moments> moments_;
  int64_t steps_ = 0;
};

}  // namespace crane::train
