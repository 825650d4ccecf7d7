// VAND's learner: the linear heads, from frozen block tokens (docs/methods/vand.md).
#pragma once

#include <map>
#include <string>

#include "methods/learner.h"
#include "methods/vand/heads.h"
#include "methods/vand/options.h"
#include "train/learned.h"

namespace crane::methods::vand {

class HeadLearner final : public Learner {
 public:
  // Encodes the sentences of every class of `start`. Errors: E_PROMPTS, E_TRAIN_RESUME.
  HeadLearner(const Towers& towers, const LearnerStart& start, const Heads& heads,
              const TrainingOptions& options);

  train::StepLosses step(const LearnBatch& batch, Trace* trace) override;
  NamedTensors parameters() const override { return learned_.parameters(); }
  NamedTensors gradients() const override { return learned_.gradients(); }
  void save(const std::string& path, const std::vector<train::ExtraTensor>& extra,
            const std::map<std::string, std::string>& metadata) const override;
  void write_checkpoint(const std::string& path, CheckpointFormat format,
                        const std::map<std::string, std::string>& metadata) const override;

 private:
  TrainingOptions options_;
  vision::Grid grid_;                        // of the levels
  vision::Grid input_;                       // pixels of the model's input
  std::map<std::string, at::Tensor> texts_;  // by class, [2, D] unit rows
  train::Learned learned_;
};

}  // namespace crane::methods::vand
