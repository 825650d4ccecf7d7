#include "methods/vand/learner.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>

#include "core/error.h"
#include "methods/maps.h"
#include "methods/sentence_pair.h"
#include "train/map_loss.h"

namespace crane::methods::vand {

HeadLearner::HeadLearner(const Towers& towers, const LearnerStart& start, const Heads& heads,
                         const TrainingOptions& options)
    : options_(options),
      grid_(towers.vision->grid_for(towers.height, towers.width)),
      input_{towers.height, towers.width},
      learned_(options.adam, heads) {
  if (start.kind == LearnerStart::Kind::saved) learned_.restore(train::SavedTraining(start.saved_path));
  const at::NoGradGuard guard;
  for (const auto& [name, texts] : start.classes) {
    texts_[name] = ensemble_pair(*towers.text, texts, text::Mean::unit, {}, k_name);
  }
}

train::StepLosses HeadLearner::step(const LearnBatch& batch, Trace* trace) {
  check_input(!batch.classes.empty(), "E_PROMPTS", k_name, " learns from sentences that name what a picture ",
              "shows, and no class was given");
  learned_.clear_gradients();
  at::Tensor tokens;  // [B, L, n, width] of the pictures whose masks are known
  at::Tensor texts;   // [B, 2, D]
  {
    const at::NoGradGuard guard;
    std::vector<at::Tensor> pictures;
    std::vector<at::Tensor> vectors;
    for (size_t b = 0; b < batch.features.size(); ++b) {
      pictures.push_back(batch.features[b].front().second);
      vectors.push_back(texts_.at(batch.classes[b]));
    }
    tokens = at::stack(pictures);
    texts = at::stack(vectors);
    if (batch.cells.known.defined()) {
      tokens = tokens.index_select(0, batch.cells.known);
      texts = texts.index_select(0, batch.cells.known);
    }
  }
  // Without a mask nothing is learned from a picture: there is no loss of whole pictures.
  if (tokens.size(0) == 0) return {};
  const auto floats = at::TensorOptions().dtype(at::kFloat).device(tokens.device());
  at::Tensor focal = at::zeros({}, floats);
  at::Tensor dice = at::zeros({}, floats);
  std::vector<at::Tensor> parts;
  for (int64_t level = 0; level < tokens.size(1); ++level) {
    const at::Tensor z =
        layers::unit_rows(at::linear(tokens.select(1, level), learned_.at(join_text("fc.", level, ".weight")),
                                     learned_.at(join_text("fc.", level, ".bias"))));
    const at::Tensor logits = text_logits(z, texts, options_.temperature);  // [B, n, 2]
    const at::Tensor p =
        at::softmax(upsampled(logits, grid_, input_.height, input_.width, /*align_corners=*/true), /*dim=*/1);
    const train::MapLoss loss = train::map_loss(p, batch.cells, options_.dice_rows);
    focal = focal + options_.focal_weight * loss.focal;
    dice = dice + options_.dice_weight * loss.dice_anomalous;
    if (trace != nullptr) parts.push_back(at::stack({loss.focal, loss.dice_anomalous}).detach());
  }
  if (trace != nullptr) trace->record("loss_parts", at::stack(parts));
  const at::Tensor total = focal + dice;
  const train::StepLosses losses{focal.item<double>(), dice.item<double>(), 0, total.item<double>()};
  learned_.descend(total, losses);
  return losses;
}

void HeadLearner::save(const std::string& path, const std::vector<train::ExtraTensor>& extra,
                       const std::map<std::string, std::string>& metadata) const {
  learned_.save(path, {}, extra, metadata);
}

void HeadLearner::write_checkpoint(const std::string& path, CheckpointFormat format,
                                   const std::map<std::string, std::string>& metadata) const {
  write_heads(path, learned_.parameters(), format, metadata);
}

}  // namespace crane::methods::vand
