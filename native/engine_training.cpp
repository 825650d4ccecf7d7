// Training through the engine: see engine.h.
#include <ATen/core/grad_mode.h>

#include "engine_state.h"
#include "methods/crane/features.h"

namespace crane {
namespace {

// Frozen features of a batch, picture by picture (with compat.batch_mean D-Attn's mean runs over the batch).
train::Features batch_features(const methods::Towers& towers, const at::Tensor& images,
                               const methods::CraneOptions& options, vision::Grid* grid) {
  methods::SourceAffinity affinity;
  if (options.d_attn) affinity = methods::source_affinity(towers, images, options, nullptr);
  std::vector<at::Tensor> maps;
  std::vector<at::Tensor> globals;
  for (int64_t b = 0; b < images.size(0); ++b) {
    methods::SourceAffinity own;
    if (options.d_attn) own = affinity.picture(b);
    const methods::PictureFeatures features = methods::picture_features(
        towers, images.slice(0, b, b + 1), options.d_attn ? &own : nullptr, options, nullptr);
    maps.push_back(features.maps);
    globals.push_back(features.global);
    *grid = features.grid;
  }
  train::Features result;
  result.maps = at::cat(maps, /*dim=*/1);
  result.global = at::cat(globals, /*dim=*/0);
  // Listed layers that all show the final e are one map that counts as often as it is listed (method.md 3).
  const bool is_aliased = !options.d_attn && options.compat.aliased_features;
  result.copies = is_aliased ? static_cast<int64_t>(options.features.size()) : 1;
  return result;
}

}  // namespace

int64_t Engine::begin_training(const PromptFiles& files, const train::TrainOptions& options) {
  const at::NoGradGuard guard;
  return translate_errors([&] {
    State& state = *state_;
    const text::PromptSet start = text::load_prompts(files.path, {files.normal_ids, files.anomalous_ids},
                                                     state.text.width(), state.device);
    state.trainings[state.next_handle] = std::make_unique<train::PromptTrainer>(state.text, start, options);
    return state.next_handle++;
  });
}

train::StepLosses Engine::train_step(int64_t training, const TrainBatch& batch, InputShape shape,
                                     const ScoreOptions& options, TracedStages* stages) {
  return translate_errors([&] {
    const State& state = *state_;
    state.check_size(shape.height, shape.width);
    train::PromptTrainer& trainer = state.training(training);
    const auto of = [](auto* data, at::IntArrayRef sizes, at::ScalarType type) {
      return at::from_blob(const_cast<void*>(static_cast<const void*>(data)), sizes,
                           at::TensorOptions().dtype(type));
    };
    const at::Tensor images =
        of(batch.input, {shape.batch, 3, shape.height, shape.width}, at::kFloat).to(state.device);
    train::Features features;
    vision::Grid grid;
    {
      const at::NoGradGuard guard;
      features = batch_features(state.towers(), images, options.method, &grid);
    }
    train::CellCounts cells = train::count_cells(
        of(batch.masks, {shape.batch, shape.height, shape.width}, at::kByte), grid.height, grid.width);
    cells.pixels = cells.pixels.to(state.device);
    cells.anomalous = cells.anomalous.to(state.device);
    const at::Tensor labels = of(batch.labels, {shape.batch}, at::kLong).to(state.device);
    Trace trace;
    const train::StepLosses losses = trainer.step(features, cells, labels, stages ? &trace : nullptr);
    if (stages) *stages = trace.to_host({});
    return losses;
  });
}

TracedStages Engine::training_state(int64_t training) const {
  const at::NoGradGuard guard;
  const train::PromptTrainer& trainer = state_->training(training);
  Trace trace;
  for (const auto& [name, tensor] : trainer.parameters()) trace.record("param." + name, tensor);
  for (const auto& [name, tensor] : trainer.gradients()) {
    if (tensor.defined()) trace.record("grad." + name, tensor);
  }
  return trace.to_host({});
}

void Engine::end_training(int64_t training) { state_->trainings.erase(training); }

}  // namespace crane
