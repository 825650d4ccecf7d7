#include "methods/adaclip/learner.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>

#include "core/error.h"
#include "methods/adaclip/prompted.h"
#include "methods/maps.h"
#include "train/map_loss.h"

namespace crane::methods::adaclip {
namespace {

train::Learned start_learning(const Towers& towers, const LearnerStart& start, const Options& options,
                              const TrainingOptions& training) {
  const Sizes sizes = sizes_of(towers, options);
  if (start.kind == LearnerStart::Kind::checkpoint) {
    const auto file = start.material.files.find("heads");
    check_input(file != start.material.files.end(), "E_PROMPTS", k_name,
                " needs a file of learned prompts and heads");
    return {training.adam, load(file->second, sizes, towers.device)};
  }
  if (start.kind == LearnerStart::Kind::fresh) {
    return {training.adam,
            fresh(start.seed, sizes, training.prompt_rows, training.prompted_blocks, towers.device)};
  }
  const train::SavedTraining file(start.saved_path);
  train::Learned learned(training.adam, saved(file, sizes, towers.device));
  learned.restore(file);
  return learned;
}

// Focal loss of the picture's own probability [1].
at::Tensor image_focal(const at::Tensor& score, const at::Tensor& labels) {
  const train::CellCounts one{at::ones({1}, at::TensorOptions().dtype(at::kDouble).device(score.device())),
                              labels.to(at::kDouble).view({1, 1}),
                              {}};
  return train::focal(at::stack({1 - score, score}, /*dim=*/-1).view({1, 1, 2}), one);
}

}  // namespace

PromptLearner::PromptLearner(const Towers& towers, const LearnerStart& start, const Options& options,
                             const TrainingOptions& training)
    : towers_(towers),
      options_(options),
      training_(training),
      classes_(start.classes),
      blocks_(towers.plain_blocks()),
      learned_(start_learning(towers, start, options, training)),
      trainable_(learned_.parameters()) {}

train::StepLosses PromptLearner::step(const LearnBatch& batch, Trace* trace) {
  check_input(batch.features.size() == 1, "E_USAGE", k_name, " learns from one picture a step, got ",
              batch.features.size(), " (--batch-size 1)");
  check_input(!batch.classes.empty(), "E_PROMPTS", k_name, " learns from sentences that name what a picture ",
              "shows, and no class was given");
  learned_.clear_gradients();
  Frozen frozen;
  for (const auto& [name, value] : batch.features.front()) {
    (name == "tokens" ? frozen.tokens : frozen.plain_cls) = value.unsqueeze(0);
  }
  const Prompted prompted = prompted_features(towers_, std::span<const layers::Block>(blocks_), frozen,
                                              sentence_pair(classes_.at(batch.classes.front()), k_name),
                                              trainable_, options_, trace);
  const Judged judged = judge(prompted, options_, trace);

  const at::Tensor image = image_focal(judged.score, batch.labels);
  at::Tensor focal = at::zeros({}, image.options());
  at::Tensor dice = at::zeros({}, image.options());
  std::vector<at::Tensor> parts;
  const vision::Grid grid = towers_.vision->grid_for(towers_.height, towers_.width);
  for (int64_t level = 0; level < judged.logits.size(0) && batch.cells.anomalous.size(0) > 0; ++level) {
    const at::Tensor p =
        at::softmax(upsampled(judged.logits[level].unsqueeze(0), grid, towers_.height, towers_.width,
                              /*align_corners=*/true),
                    /*dim=*/1);
    const train::MapLoss loss = train::map_loss(p, batch.cells, options_.compat.dice_rows);
    focal = focal + training_.focal_weight * loss.focal;
    dice = dice + training_.dice_weight * (loss.dice_anomalous + loss.dice_normal);
    if (trace != nullptr)
      parts.push_back(at::stack({loss.focal, loss.dice_anomalous, loss.dice_normal}).detach());
  }
  if (trace != nullptr && !parts.empty()) trace->record("loss_parts", at::stack(parts));
  const at::Tensor total = focal + dice + training_.image_weight * image;
  const train::StepLosses losses{focal.item<double>(), dice.item<double>(), image.item<double>(),
                                 total.item<double>()};
  learned_.descend(total, losses);
  return losses;
}

void PromptLearner::save(const std::string& path, const std::vector<train::ExtraTensor>& extra,
                         const std::map<std::string, std::string>& metadata) const {
  learned_.save(path, {}, extra, metadata);
}

void PromptLearner::write_checkpoint(const std::string& path, CheckpointFormat format,
                                     const std::map<std::string, std::string>& metadata) const {
  write(path, learned_.parameters(), format, metadata);
}

}  // namespace crane::methods::adaclip
