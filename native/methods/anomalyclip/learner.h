// AnomalyCLIP's learner: both contexts and the deep tokens, from frozen features
// (docs/methods/anomalyclip.md).
#pragma once

#include "methods/anomalyclip/options.h"
#include "methods/learner.h"
#include "train/learned.h"

namespace crane::methods::anomalyclip {

class PromptLearner final : public Learner {
 public:
  // copies: how often each level is listed. Errors: E_PROMPTS, E_WEIGHTS_*, E_TRAIN_RESUME.
  PromptLearner(const Towers& towers, const LearnerStart& start, const TrainingOptions& options,
                int64_t copies);

  train::StepLosses step(const LearnBatch& batch, Trace* trace) override;
  NamedTensors parameters() const override { return learned_.parameters(); }
  NamedTensors gradients() const override { return learned_.gradients(); }
  void save(const std::string& path, const std::vector<train::ExtraTensor>& extra,
            const std::map<std::string, std::string>& metadata) const override;
  void write_checkpoint(const std::string& path, CheckpointFormat format,
                        const std::map<std::string, std::string>& metadata) const override;

 private:
  const text::TextTower& tower_;
  TrainingOptions options_;
  int64_t copies_;
  vision::Grid grid_;        // of the levels
  vision::Grid input_;       // pixels of the model's input
  text::PromptSet prompts_;  // its learned tensors are those of learned_
  train::Learned learned_;
};

}  // namespace crane::methods::anomalyclip
