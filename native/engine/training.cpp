#include "engine/training.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>

#include <set>

#include "engine/state.h"
#include "methods/method.h"
#include "train/feature_file.h"

namespace crane {

struct Training::State {
  std::shared_ptr<Engine> engine;
  std::shared_ptr<const methods::Method> method;
  std::unique_ptr<methods::Learner> learner;
  std::set<std::string, std::less<>> classes;  // that texts were given for

  const Engine::State& towers() const { return *engine->state_; }

  // Every picture's class, or none where the method's texts name none.
  void check_classes(const std::vector<std::string>& names) const {
    for (const std::string& name : names) {
      check_input(classes.contains(name), "E_PROMPTS", "no texts were given for class \"", name, "\"");
    }
  }

  train::CellCounts on_device(train::CellCounts cells) const {
    const at::Device device = towers().device;
    cells.pixels = cells.pixels.to(device);
    cells.anomalous = cells.anomalous.to(device);
    if (cells.known.defined()) cells.known = cells.known.to(device);
    return cells;
  }

  // [1, 3, H, W] on the device.
  at::Tensor input_of(const image::PictureView& picture) const {
    ScoreItem stretched;
    stretched.picture = picture;
    const image::ViewPlan plan = towers().plan_of(stretched, *method);
    return towers().input_of(stretched, plan, plan.views.front()).to(towers().device);
  }
};

namespace {

using Shape = std::optional<methods::FeatureShape>;

template <typename Number>
at::Tensor borrowed(const Number* data, at::IntArrayRef sizes, at::ScalarType type) {
  return at::from_blob(const_cast<Number*>(data), sizes, at::TensorOptions().dtype(type));
}

train::StoredFeatures stored_of(const std::string& path, const methods::FeatureShape& shape) {
  train::FeatureSizes sizes;
  for (const methods::FeatureTensor& tensor : shape.tensors) sizes.emplace_back(tensor.name, tensor.shape);
  train::StoredFeatures stored = train::open_features(path, sizes, shape.grid.height * shape.grid.width);
  check_input(!stored.is_of_before, "E_TRAIN_FEATURES", path, ": is of an earlier version, without counts");
  return stored;
}

// Counts of each picture's cells: those of its file, or made from its mask.
class BatchCells {
 public:
  BatchCells(int64_t height, int64_t width, train::CellGrid grid)
      : height_(height), width_(width), grid_(grid) {}

  void add(const TrainItem& item, const train::StoredFeatures* stored) {
    if (item.mask != nullptr) {
      counts_.push_back(train::anomalous_per_cell(item.mask, height_, width_, grid_));
    } else if (stored != nullptr && !item.cells.empty()) {
      counts_.push_back(train::cells_of(*stored, item.cells));
    } else {
      counts_.emplace_back();
    }
  }

  train::CellCounts gathered() const {
    std::vector<const uint32_t*> rows;
    for (const auto& counts : counts_) rows.push_back(counts.empty() ? nullptr : counts.data());
    return train::gather_cells(rows, height_, width_, grid_);
  }

 private:
  int64_t height_;
  int64_t width_;
  train::CellGrid grid_;
  std::vector<std::vector<uint32_t>> counts_;  // of each picture; empty: not known
};

// Rows of the pictures whose mask of the input's size is there; undefined: all of them.
at::Tensor known_masks(std::span<const TrainItem> items) {
  std::vector<int64_t> known;
  for (size_t i = 0; i < items.size(); ++i) {
    if (items[i].mask != nullptr) known.push_back(static_cast<int64_t>(i));
  }
  if (known.size() == items.size()) return {};
  return at::tensor(known, at::TensorOptions().dtype(at::kLong));
}

}  // namespace

Training::Training(std::shared_ptr<Engine> engine, std::shared_ptr<const methods::Method> method,
                   const methods::LearnerStart& start, const methods::Settings& settings)
    : state_(std::make_unique<State>()) {
  const at::NoGradGuard guard;
  translate_errors([&] {
    state_->engine = std::move(engine);
    state_->method = std::move(method);
    for (const auto& [name, texts] : start.classes) state_->classes.insert(name);
    state_->learner = state_->method->learner(state_->towers().towers(), start, settings);
    check_input(state_->learner != nullptr, "E_METHOD", "method ", state_->method->name(), " learns nothing");
  });
}

Training::~Training() = default;

int64_t Training::input_pixels() const {
  const EngineConfig& config = state_->towers().config;
  return config.height * config.width;
}

train::StepLosses Training::step(std::span<const TrainItem> items) {
  return translate_errors([&] {
    const Engine::State& engine = state_->towers();
    const methods::Method& method = *state_->method;
    engine.use_own_threads();
    check_input(!items.empty(), "E_DATA_EMPTY", "a step without pictures");
    const methods::Towers towers = engine.towers();
    const Shape shape = method.feature_shape(towers);
    methods::LearnBatch batch;
    {
      const at::NoGradGuard guard;
      std::optional<BatchCells> cells;
      if (shape) {
        cells.emplace(engine.config.height, engine.config.width,
                      train::CellGrid{shape->grid.height, shape->grid.width});
      }
      std::vector<int64_t> labels;
      std::vector<at::Tensor> images;
      std::vector<at::Tensor> masks;
      const int64_t height = engine.config.height;
      const int64_t width = engine.config.width;
      for (const TrainItem& item : items) {
        labels.push_back(item.is_anomalous ? 1 : 0);
        if (!state_->classes.empty()) batch.classes.push_back(item.class_name);
        check_input(!state_->learner->wants_masks() || item.mask != nullptr || item.cells.empty(),
                    "E_TRAIN_FEATURES", item.features, ": method ", method.name(),
                    " learns from whole masks, of which the feature cache keeps counts only");
        if (state_->learner->wants_masks() && item.mask != nullptr) {
          masks.push_back(borrowed(item.mask, {1, height, width}, at::kByte).to(engine.device));
        }
        if (item.features.empty()) {
          images.push_back(state_->input_of(item.picture));
          if (!shape) continue;
          batch.features.push_back(method.features(towers, images.back()).front());
          cells->add(item, nullptr);
          continue;
        }
        check_input(shape.has_value(), "E_TRAIN_FEATURES", item.features, ": method ", method.name(),
                    " has no features");
        state_->engine->feature_shape({state_->method, {}, 0});  // refuses what cannot be kept
        methods::NamedTensors& own = batch.features.emplace_back();
        const train::StoredFeatures stored = stored_of(item.features, *shape);
        for (auto& [name, value] : train::as_floats(stored)) own.emplace_back(name, value.to(engine.device));
        cells->add(item, &stored);
      }
      check_input(images.empty() || images.size() == items.size(), "E_USAGE",
                  "a step takes all its pictures from the feature cache, or none");
      if (!images.empty()) batch.images = at::cat(images, /*dim=*/0);
      if (cells) batch.cells = state_->on_device(cells->gathered());
      if (state_->learner->wants_masks()) {
        batch.masks = masks.empty() ? at::empty({0, height, width}, at::TensorOptions().dtype(at::kByte))
                                    : at::cat(masks, /*dim=*/0);
        batch.cells.known = known_masks(items);
        if (batch.cells.known.defined()) batch.cells.known = batch.cells.known.to(engine.device);
      }
      batch.labels = at::tensor(labels, at::TensorOptions().dtype(at::kLong)).to(engine.device);
    }
    state_->check_classes(batch.classes);
    return state_->learner->step(batch, nullptr);
  });
}

train::StepLosses Training::step_on_pictures(const TrainBatch& batch, InputShape shape,
                                             TracedStages* stages) {
  return translate_errors([&] {
    const Engine::State& engine = state_->towers();
    const methods::Method& method = *state_->method;
    engine.use_own_threads();
    engine.check_size(shape.height, shape.width);
    methods::LearnBatch own;
    {
      const at::NoGradGuard guard;
      own.images =
          borrowed(batch.input, {shape.batch, 3, shape.height, shape.width}, at::kFloat).to(engine.device);
      const at::Tensor masks = borrowed(batch.masks, {shape.batch, shape.height, shape.width}, at::kByte);
      methods::Towers towers = engine.towers();
      towers.height = shape.height;
      towers.width = shape.width;
      if (const Shape features = method.feature_shape(towers)) {
        own.features = method.features(towers, own.images);
        own.cells =
            state_->on_device(train::count_cells(masks, {features->grid.height, features->grid.width}));
      }
      if (state_->learner->wants_masks()) own.masks = masks.to(engine.device);
      own.labels = borrowed(batch.labels, {shape.batch}, at::kLong).to(engine.device);
      own.classes = batch.classes;
      check_input(own.classes.size() == (state_->classes.empty() ? 0 : static_cast<size_t>(shape.batch)),
                  "E_IMAGE_SHAPE", own.classes.size(), " names of classes for ", shape.batch, " pictures");
      state_->check_classes(own.classes);
    }
    Trace trace;
    const train::StepLosses losses = state_->learner->step(own, stages ? &trace : nullptr);
    if (stages) *stages = trace.to_host({});
    return losses;
  });
}

TracedStages Training::state() const {
  const at::NoGradGuard guard;
  return translate_errors([&] {
    Trace trace;
    for (const auto& [name, tensor] : state_->learner->parameters()) trace.record("param." + name, tensor);
    for (const auto& [name, tensor] : state_->learner->gradients()) {
      if (tensor.defined()) trace.record("grad." + name, tensor);
    }
    return trace.to_host({});
  });
}

void Training::save(const std::string& path, const std::vector<train::ExtraTensor>& extra,
                    const std::map<std::string, std::string>& metadata) const {
  const at::NoGradGuard guard;
  translate_errors([&] { state_->learner->save(path, extra, metadata); });
}

void Training::write_checkpoint(const std::string& path, bool as_pth,
                                const std::map<std::string, std::string>& metadata) const {
  const at::NoGradGuard guard;
  translate_errors([&] {
    using Format = methods::CheckpointFormat;
    state_->learner->write_checkpoint(path, as_pth ? Format::pth : Format::safetensors, metadata);
  });
}

}  // namespace crane
