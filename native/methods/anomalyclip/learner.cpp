#include "methods/anomalyclip/learner.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/zeros.h>

#include "methods/maps.h"
#include "train/map_loss.h"

namespace crane::methods::anomalyclip {
namespace {

// Rows of the maps that the prompt module holds beside the prompts and never uses; the authors' code wants
// them in the file.
constexpr int64_t k_unused_rows = 896;

train::Parameters unused_projections(const text::PromptSet& prompts) {
  train::Parameters unused;
  const auto floats = at::TensorOptions().dtype(at::kFloat);
  for (size_t i = 0; i < prompts.deep.size(); ++i) {
    const std::string name = join_text("compound_prompt_projections.", i);
    unused.emplace_back(name + ".weight", at::zeros({k_unused_rows, prompts.width()}, floats));
    unused.emplace_back(name + ".bias", at::zeros({k_unused_rows}, floats));
  }
  return unused;
}

struct Batch {
  at::Tensor global;  // [B, D]
  at::Tensor maps;    // [L, B, n, D]
};

Batch gathered(const std::vector<NamedTensors>& pictures) {
  const at::NoGradGuard guard;
  std::vector<at::Tensor> globals;
  std::vector<at::Tensor> maps;
  for (const NamedTensors& picture : pictures) {
    for (const auto& [name, value] : picture) (name == "maps" ? maps : globals).push_back(value);
  }
  return {at::stack(globals, /*dim=*/0), at::stack(maps, /*dim=*/1)};
}

}  // namespace

PromptLearner::PromptLearner(const Towers& towers, const LearnerStart& start, const TrainingOptions& options,
                             int64_t copies)
    : tower_(towers.text->get()),
      options_(options),
      copies_(copies),
      grid_(towers.vision->grid_for(towers.height, towers.width)),
      input_{towers.height, towers.width},
      prompts_(start_prompts(towers, start, options.sizes, k_name, options.stored_tokens).prompts),
      learned_(options.adam, train::learned_prompts(prompts_)) {
  if (start.kind == LearnerStart::Kind::saved) learned_.restore(train::SavedTraining(start.saved_path));
  prompts_.context = {learned_.at("ctx_pos"), learned_.at("ctx_neg")};
  for (size_t i = 0; i < prompts_.deep.size(); ++i) {
    prompts_.deep[i] = learned_.at(join_text("compound_prompts_text.", i));
  }
}

train::StepLosses PromptLearner::step(const LearnBatch& batch, Trace* trace) {
  learned_.clear_gradients();
  const Batch pictures = gathered(batch.features);
  const text::EncodeOptions how{text::Guidance::none, options_.half_deep_tokens};
  const at::Tensor text = tower_.encode(prompts_, how, {}, nullptr).unit.squeeze(0);  // [2, D]

  const at::Tensor image_logits = text_logits(pictures.global, text, options_.image_temperature);
  const at::Tensor image =
      -at::log_softmax(image_logits, /*dim=*/-1).gather(-1, batch.labels.unsqueeze(-1)).mean();
  at::Tensor focal = at::zeros({}, image.options());
  at::Tensor dice = at::zeros({}, image.options());
  std::vector<at::Tensor> parts;
  for (int64_t level = 0; level < pictures.maps.size(0) && batch.cells.anomalous.size(0) > 0; ++level) {
    const at::Tensor maps = batch.cells.known.defined()
                                ? pictures.maps[level].index_select(0, batch.cells.known)
                                : pictures.maps[level];
    const at::Tensor p = at::softmax(text_logits(maps, text, options_.pixel_temperature), /*dim=*/-1);
    const train::MapLoss loss =
        train::map_loss(upsampled(p, grid_, input_.height, input_.width, /*align_corners=*/false),
                        batch.cells, options_.dice_rows);
    focal = focal + loss.focal;
    dice = dice + loss.dice_anomalous + loss.dice_normal;
    if (trace != nullptr) {
      parts.push_back(at::stack({loss.focal, loss.dice_anomalous, loss.dice_normal}).detach());
    }
  }
  focal = focal * (options_.focal_weight * static_cast<double>(copies_));
  dice = dice * (options_.dice_weight * static_cast<double>(copies_));
  const at::Tensor total = focal + dice + options_.image_weight * image;
  if (trace != nullptr && !parts.empty()) trace->record("loss_parts", at::stack(parts));
  const train::StepLosses losses{focal.item<double>(), dice.item<double>(), image.item<double>(),
                                 total.item<double>()};
  learned_.descend(total, losses);
  return losses;
}

void PromptLearner::save(const std::string& path, const std::vector<train::ExtraTensor>& extra,
                         const std::map<std::string, std::string>& metadata) const {
  learned_.save(path, train::prompt_extras(prompts_), extra, metadata);
}

void PromptLearner::write_checkpoint(const std::string& path, CheckpointFormat format,
                                     const std::map<std::string, std::string>& metadata) const {
  if (format == CheckpointFormat::pth) {
    train::write_prompt_checkpoint(path, tower_, prompts_, unused_projections(prompts_));
  } else {
    train::write_prompts(path, prompts_, metadata);
  }
}

}  // namespace crane::methods::anomalyclip
