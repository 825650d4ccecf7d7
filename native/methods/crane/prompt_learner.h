// Crane's learner: prompts from frozen features, whether they come from the feature cache or were made just
// now.
#pragma once

#include "methods/crane/prompt_trainer.h"
#include "methods/learner.h"
#include "methods/material.h"
#include "methods/method.h"

namespace crane::methods {

class PromptLearner final : public Learner {
 public:
  // Errors: E_PROMPTS, E_WEIGHTS_*, E_TRAIN_RESUME.
  PromptLearner(const Towers& towers, const LearnerStart& start, const PromptTraining& options,
                int64_t copies, vision::Grid grid);

  // Bilinear upsampling tells the pixels of a cell apart.
  bool wants_masks() const override { return trainer_.options().loss.upsampling == Upsampling::bilinear; }
  train::StepLosses step(const LearnBatch& batch, Trace* trace) override;
  NamedTensors parameters() const override { return trainer_.parameters(); }
  NamedTensors gradients() const override { return trainer_.gradients(); }
  void save(const std::string& path, const std::vector<train::ExtraTensor>& extra,
            const std::map<std::string, std::string>& metadata) const override;
  void write_checkpoint(const std::string& path, CheckpointFormat format,
                        const std::map<std::string, std::string>& metadata) const override;

 private:
  const text::TextTower& tower_;
  PromptTrainer trainer_;
  int64_t copies_;     // how often each map is listed
  vision::Grid grid_;  // of the maps
};

}  // namespace crane::methods
