#include "methods/crane/prompt_learner.h"

#include <ATen/core/grad_mode.h>

#include "core/error.h"
#include "methods/crane/crane.h"
#include "methods/crane/prompt_files.h"

namespace crane::methods {
namespace {

PromptTrainer start_trainer(const Towers& towers, const LearnerStart& start, const PromptTraining& options) {
  const text::TextTower& tower = towers.text->get();
  if (start.kind == LearnerStart::Kind::checkpoint) {
    return {tower, load_crane_prompts(towers, start.material), options};
  }
  if (start.kind == LearnerStart::Kind::fresh) {
    FreshPrompts fresh{start.seed, options.context_rows, options.deep_blocks, options.deep_tokens, {}};
    check_input(fresh.context_rows > 0 && fresh.context_rows < tower.context_length() &&
                    fresh.deep_blocks >= 0 && fresh.deep_blocks < tower.layer_count() &&
                    fresh.deep_tokens > 0 && fresh.deep_tokens <= fresh.context_rows,
                "E_PROMPTS", fresh.context_rows, " context rows and ", fresh.deep_tokens, " deep tokens in ",
                fresh.deep_blocks, " blocks do not fit a text tower of ", tower.layer_count(), " blocks and ",
                tower.context_length(), " positions (deep tokens lie within the context rows)");
    fresh.ids = crane_texts(start.material);
    return {tower, fresh_prompts(fresh, tower.width(), towers.device), options};
  }
  SavedPrompts saved = load_prompt_training(start.saved_path, tower.width(), towers.device);
  PromptTrainer trainer(tower, saved.prompts, options);
  trainer.restore(std::move(saved.moments), saved.steps);
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
                             int64_t copies)
    : tower_(towers.text->get()), trainer_(start_trainer(towers, start, options)), copies_(copies) {}

train::StepLosses PromptLearner::step(const LearnBatch& batch, Trace* trace) {
  BatchFeatures features;
  {
    const at::NoGradGuard guard;
    features = gathered(batch.features, copies_);
  }
  return trainer_.step(features, batch.cells, batch.labels, trace);
}

void PromptLearner::save(const std::string& path, const std::vector<train::ExtraTensor>& extra,
                         const std::map<std::string, std::string>& metadata) const {
  save_prompt_training(path, trainer_, extra, metadata);
}

void PromptLearner::write_checkpoint(const std::string& path, CheckpointFormat format,
                                     const std::map<std::string, std::string>& metadata) const {
  if (format == CheckpointFormat::pth) {
    methods::write_checkpoint(path, tower_, trainer_.prompts());
  } else {
    write_prompts(path, trainer_.prompts(), metadata);
  }
}

}  // namespace crane::methods
