// AdaCLIP's learner: prompts, generators and heads by AdamW, through both towers, one picture a step
// (docs/methods/adaclip.md).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "methods/adaclip/options.h"
#include "methods/adaclip/trainable.h"
#include "methods/learner.h"
#include "train/learned.h"

namespace crane::methods::adaclip {

class PromptLearner final : public Learner {
 public:
  // `towers` outlive it. Errors: E_PROMPTS, E_WEIGHTS_*, E_TRAIN_RESUME, E_MODEL_CONFIG.
  PromptLearner(const Towers& towers, const LearnerStart& start, const Options& options,
                const TrainingOptions& training);

  // Errors: as Learner::step; E_USAGE for a batch of more than one picture.
  train::StepLosses step(const LearnBatch& batch, Trace* trace) override;
  NamedTensors parameters() const override { return learned_.parameters(); }
  NamedTensors gradients() const override { return learned_.gradients(); }
  void save(const std::string& path, const std::vector<train::ExtraTensor>& extra,
            const std::map<std::string, std::string>& metadata) const override;
  void write_checkpoint(const std::string& path, CheckpointFormat format,
                        const std::map<std::string, std::string>& metadata) const override;

 private:
  Towers towers_;
  Options options_;
  TrainingOptions training_;
  std::map<std::string, Texts> classes_;
  std::vector<layers::Block> blocks_;  // of the vision tower, for gradients
  train::Learned learned_;
  Trainable trainable_;  // its tensors are those of learned_
};

}  // namespace crane::methods::adaclip
