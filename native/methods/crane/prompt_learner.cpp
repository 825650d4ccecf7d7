#include "methods/crane/prompt_learner.h"

#include <ATen/core/grad_mode.h>

#include "methods/learned_prompts.h"

namespace crane::methods {
namespace {

PromptTrainer start_trainer(const Towers& towers, const LearnerStart& start, const PromptTraining& options) {
  const PromptSizes sizes{options.context_rows, options.deep_blocks, options.deep_tokens};
  train::SavedPrompts from = start_prompts(towers, start, sizes, "crane", options.stored_tokens);
  PromptTrainer trainer(towers.text->get(), from.prompts, options);
  if (start.kind == LearnerStart::Kind::saved) trainer.restore(std::move(from.moments), from.steps);
  return trainer;
}

// [m, B, n, D] and [B, D] from each picture's [m, n, D] and [D].
BatchFeatures gathered(const std::vector<NamedTensors>& pictures, int64_t copies) {
  std::vector<at::Tensor> maps;
  std::vector<at::Tensor> globals;
  for (const NamedTensors& picture : pictures) {
    for (const auto& [name, value] : picture) (name == "maps" ? maps : globals).push_back(value);
  }
  return {at::stack(maps, /*dim=*/1), copies, at::stack(globals, /*dim=*/0)};
}

}  // namespace

PromptLearner::PromptLearner(const Towers& towers, const LearnerStart& start, const PromptTraining& options,
                             int64_t copies, vision::Grid grid)
    : tower_(towers.text->get()),
      trainer_(start_trainer(towers, start, options)),
      copies_(copies),
      grid_(grid) {}

train::StepLosses PromptLearner::step(const LearnBatch& batch, Trace* trace) {
  BatchFeatures features;
  {
    const at::NoGradGuard guard;
    features = gathered(batch.features, copies_);
  }
  return trainer_.step(features, {batch.cells, batch.masks, grid_}, batch.labels, trace);
}

void PromptLearner::save(const std::string& path, const std::vector<train::ExtraTensor>& extra,
                         const std::map<std::string, std::string>& metadata) const {
  train::save_training(path, parameters(), trainer_.adam(), train::prompt_extras(trainer_.prompts()), extra,
                       metadata);
}

void PromptLearner::write_checkpoint(const std::string& path, CheckpointFormat format,
                                     const std::map<std::string, std::string>& metadata) const {
  if (format == CheckpointFormat::pth) {
    train::write_prompt_checkpoint(path, tower_, trainer_.prompts());
  } else {
    train::write_prompts(path, trainer_.prompts(), metadata);
  }
}

}  // namespace crane::methods
