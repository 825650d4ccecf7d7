#include "engine/training.h"

#include <ATen/core/grad_mode.h>

#include "engine/state.h"
#include "train/feature_file.h"
#include "train/prompt_files.h"

namespace crane {

struct Training::State {
  std::shared_ptr<Engine> engine;
  std::optional<train::PromptTrainer> trainer;

  const Engine::State& towers() const { return *engine->state_; }
  train::CellCounts on_device(train::CellCounts cells) const {
    const at::Device device = towers().device;
    cells.pixels = cells.pixels.to(device);
    cells.anomalous = cells.anomalous.to(device);
    if (cells.known.defined()) cells.known = cells.known.to(device);
    return cells;
  }
};

namespace {

train::PromptTrainer start_trainer(const text::TextTower& tower, const TrainingStart& start,
                                   const train::TrainOptions& options, at::Device device) {
  if (const auto* files = std::get_if<PromptFiles>(&start)) {
    return {tower,
            text::load_prompts(files->path, {files->normal_ids, files->anomalous_ids}, tower.width(), device),
            options};
  }
  if (const auto* fresh = std::get_if<train::FreshPrompts>(&start)) {
    check_input(fresh->context_rows > 0 && fresh->context_rows < tower.context_length() &&
                    fresh->deep_blocks >= 0 && fresh->deep_blocks < tower.layer_count() &&
                    fresh->deep_tokens > 0 && fresh->deep_tokens <= fresh->context_rows,
                "E_PROMPTS", fresh->context_rows, " context rows and ", fresh->deep_tokens,
                " deep tokens in ", fresh->deep_blocks, " blocks do not fit a text tower of ",
                tower.layer_count(), " blocks and ", tower.context_length(),
                " positions (deep tokens lie within the context rows)");
    return {tower, train::fresh_prompts(*fresh, tower.width(), device), options};
  }
  const std::string& path = std::get<SavedTrainingFile>(start).path;
  train::SavedTraining saved = train::load_training(path, tower.width(), device);
  return {tower, saved.prompts, options, std::move(saved.moments), saved.steps};
}

}  // namespace

Training::Training(std::shared_ptr<Engine> engine, const TrainingStart& start,
                   const train::TrainOptions& options)
    : state_(std::make_unique<State>()) {
  const at::NoGradGuard guard;
  translate_errors([&] {
    state_->engine = std::move(engine);
    state_->trainer.emplace(
        start_trainer(state_->towers().text.get(), start, options, state_->towers().device));
  });
}

Training::~Training() = default;

train::StepLosses Training::step(std::span<const TrainItem> items, const ScoreOptions& options) {
  return translate_errors([&] {
    const Engine::State& towers = state_->towers();
    towers.use_own_threads();
    const FeatureShape shape = state_->engine->feature_shape(options);
    const int64_t cells = shape.grid_height * shape.grid_width;
    check_input(!items.empty(), "E_DATA_EMPTY", "a step without pictures");
    train::Features features;
    features.copies = shape.copies;
    std::vector<const uint32_t*> counts;
    std::vector<int64_t> labels;
    {
      const at::NoGradGuard guard;
      std::vector<at::Tensor> maps;
      std::vector<at::Tensor> globals;
      for (const TrainItem& item : items) {
        CRANE_CHECK_INVARIANT(item.cells == nullptr || item.cell_count == static_cast<size_t>(cells),
                              "a picture has counts for ", item.cell_count, " cells, expected ", cells);
        const train::PictureFeatures own =
            train::read_features(item.features, {shape.maps, cells, shape.width});
        maps.push_back(own.maps);
        globals.push_back(own.global);
        counts.push_back(item.cells);
        labels.push_back(item.is_anomalous ? 1 : 0);
      }
      features.maps = at::stack(maps, /*dim=*/1).to(towers.device);
      features.global = at::stack(globals, /*dim=*/0).to(towers.device);
    }
    const train::CellCounts known = state_->on_device(train::gather_cells(
        counts, towers.config.height, towers.config.width, {shape.grid_height, shape.grid_width}));
    const at::Tensor is_anomalous =
        at::tensor(labels, at::TensorOptions().dtype(at::kLong)).to(towers.device);
    return state_->trainer->step(features, known, is_anomalous);
  });
}

train::StepLosses Training::step_on_pictures(const TrainBatch& batch, InputShape shape,
                                             const ScoreOptions& options, TracedStages* stages) {
  return translate_errors([&] {
    const Engine::State& towers = state_->towers();
    towers.use_own_threads();
    towers.check_size(shape.height, shape.width);
    const auto of = [](auto* data, at::IntArrayRef sizes, at::ScalarType type) {
      return at::from_blob(const_cast<void*>(static_cast<const void*>(data)), sizes,
                           at::TensorOptions().dtype(type));
    };
    train::Features features;
    vision::Grid grid;
    {
      const at::NoGradGuard guard;
      const at::Tensor images =
          of(batch.input, {shape.batch, 3, shape.height, shape.width}, at::kFloat).to(towers.device);
      methods::PictureFeatures frozen = towers.features(images, options.method);
      features.maps = std::move(frozen.maps);
      features.global = std::move(frozen.global);
      features.copies = towers.feature_shape(options).copies;
      grid = frozen.grid;
    }
    const train::CellCounts cells = state_->on_device(train::count_cells(
        of(batch.masks, {shape.batch, shape.height, shape.width}, at::kByte), {grid.height, grid.width}));
    const at::Tensor labels = of(batch.labels, {shape.batch}, at::kLong).to(towers.device);
    Trace trace;
    const train::StepLosses losses =
        state_->trainer->step(features, cells, labels, stages ? &trace : nullptr);
    if (stages) *stages = trace.to_host({});
    return losses;
  });
}

TracedStages Training::state() const {
  const at::NoGradGuard guard;
  Trace trace;
  for (const auto& [name, tensor] : state_->trainer->parameters()) trace.record("param." + name, tensor);
  for (const auto& [name, tensor] : state_->trainer->gradients()) {
    if (tensor.defined()) trace.record("grad." + name, tensor);
  }
  return trace.to_host({});
}

void Training::save(const std::string& path, const std::vector<train::ExtraTensor>& extra,
                    const std::map<std::string, std::string>& metadata) const {
  const at::NoGradGuard guard;
  translate_errors([&] { train::save_training(path, *state_->trainer, extra, metadata); });
}

void Training::write_prompts(const std::string& path, PromptFormat format,
                             const std::map<std::string, std::string>& metadata) const {
  const at::NoGradGuard guard;
  translate_errors([&] {
    const text::PromptSet& prompts = state_->trainer->prompts();
    if (format == PromptFormat::pth) {
      train::write_checkpoint(path, state_->towers().text.get(), prompts);
    } else {
      train::write_prompts(path, prompts, metadata);
    }
  });
}

}  // namespace crane
