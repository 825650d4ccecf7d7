// A method that nobody should use: how far a patch is from the mean patch, of the picture itself or of normal
// ones. It shows that a method is one file and one registration; only the addon of the tests holds it.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/upsample_bilinear2d.h>

#include <cstdlib>
#include <limits>
#include <string_view>

#include "core/error.h"
#include "layers/linear.h"
#include "methods/method.h"
#include "methods/registry.h"
#include "train/saved_training.h"

namespace crane::methods {
namespace {

constexpr double k_learned_start = 1.0;

struct MeanPatch final : Context {
  at::Tensor normal;  // [width], undefined: the picture's own
};

// The bugs that the sanitizers must find in the addon and in the native tests (scripts/fire.mjs asan): 64
// bytes that nobody holds, a sum beyond int, and a value behind the last.
void err_if_asked(const at::Tensor& values) {
  const char* const asked = std::getenv("CRANE_FIRE_PLANT");
  if (asked == nullptr) return;
  const std::string_view bug(asked);
  if (bug == "leak") {
    char* volatile lost = new char[64];
    lost = nullptr;
  }
  if (bug == "overflow") {
    volatile int most = std::numeric_limits<int>::max();
    most = most + 1;
  }
  if (bug != "overread") return;
  const at::Tensor copy = values.contiguous().clone();
  const volatile float* const behind = copy.const_data_ptr<float>() + copy.numel();
  if (*behind == 0.5F) std::abort();
}

// Unit rows, [B, N, width].
at::Tensor patches(const Towers& towers, const at::Tensor& image) {
  err_if_asked(image);
  return layers::unit_rows(towers.vision->patch_features(image, nullptr));
}

// One weight on the distance, or one of each class, learned from which cells are anomalous: as counted, or by
// whole masks, which comes to the same.
class ToyLearner final : public Learner {
 public:
  ToyLearner(const LearnerStart& start, const train::AdamOptions& options,
             std::optional<train::CellGrid> grid_of_masks)
      : grid_of_masks_(grid_of_masks), gains_(gains_of(start)), adam_(options, values()) {
    if (start.kind != LearnerStart::Kind::saved) return;
    const train::SavedTraining saved(start.saved_path);
    const at::NoGradGuard guard;
    std::vector<train::Adam::Moments> moments;
    for (const auto& [name, gain] : gains_) {
      gain.copy_(saved.floats("param." + name, at::kCPU));
      moments.push_back(saved.moments(name, gain));
    }
    adam_.restore(moments, saved.steps());
  }

  bool wants_masks() const override { return grid_of_masks_.has_value(); }

  train::StepLosses step(const LearnBatch& batch, Trace* /*trace*/) override {
    CRANE_CHECK_INVARIANT(batch.masks.defined() == wants_masks(), "masks for whom they are not");
    train::CellCounts cells = batch.cells;
    if (grid_of_masks_) {
      cells = train::count_cells(batch.masks, *grid_of_masks_);
      cells.known = batch.cells.known;
    }
    std::vector<at::Tensor> rows;
    for (size_t i = 0; i < batch.features.size(); ++i) {
      rows.push_back(gain_of(batch, i) * batch.features[i].front().second);
    }
    const at::Tensor anomalous = at::sigmoid(at::stack(rows, 0));  // [B, n]
    const at::Tensor p = at::stack({1 - anomalous, anomalous}, -1);
    const at::Tensor known = cells.known.defined() ? p.index_select(0, cells.known) : p;
    const at::Tensor loss = train::dice(known, cells);
    adam_.clear_gradients();
    loss.backward();
    const at::NoGradGuard guard;
    adam_.step();
    const double value = loss.item<double>();
    return {0, value, 0, value};
  }
  NamedTensors parameters() const override { return gains_; }
  NamedTensors gradients() const override {
    NamedTensors all;
    for (const auto& [name, gain] : gains_) all.emplace_back(name, gain.grad());
    return all;
  }
  void save(const std::string& path, const std::vector<train::ExtraTensor>& extra,
            const std::map<std::string, std::string>& metadata) const override {
    train::save_training(path, parameters(), adam_, {}, extra, metadata);
  }
  void write_checkpoint(const std::string& path, CheckpointFormat /*format*/,
                        const std::map<std::string, std::string>& metadata) const override {
    train::TensorList list;
    for (const auto& [name, gain] : gains_) list.add(name, gain);
    list.write_safetensors(path, metadata);
  }

 private:
  static NamedTensors gains_of(const LearnerStart& start) {
    NamedTensors gains;
    const auto add = [&](const std::string& name) {
      gains.emplace_back(name, at::full({1}, k_learned_start + static_cast<double>(start.seed % 7) / 10,
                                        at::TensorOptions().dtype(at::kFloat))
                                   .set_requires_grad(true));
    };
    for (const auto& [name, texts] : start.classes) add("gain." + name);
    if (gains.empty()) add("gain");
    return gains;
  }
  std::vector<at::Tensor> values() const {
    std::vector<at::Tensor> all;
    for (const auto& [name, gain] : gains_) all.push_back(gain);
    return all;
  }
  const at::Tensor& gain_of(const LearnBatch& batch, size_t picture) const {
    if (batch.classes.empty()) return gains_.front().second;
    for (const auto& [name, gain] : gains_) {
      if (name == "gain." + batch.classes[picture]) return gain;
    }
    throw Error("E_INTERNAL", "the engine lets no class through without texts");
  }

  std::optional<train::CellGrid> grid_of_masks_;
  NamedTensors gains_;
  train::Adam adam_;
};

class Toy final : public Method {
 public:
  explicit Toy(const Settings& settings) : Method("toy", settings) {
    SettingsReader read(settings);
    read.number("toyScale", scale_, 0, 100);
    read.finish("toy");
    facts_.parts = {"farthest", "average"};
  }

  const Facts& facts() const override { return facts_; }

  std::shared_ptr<const Context> prepare(const Towers& towers, const Material& /*material*/,
                                         std::span<const at::Tensor> normals) const override {
    auto context = std::make_shared<MeanPatch>();
    std::vector<at::Tensor> means;
    for (const at::Tensor& normal : normals) means.push_back(patches(towers, normal)[0].mean(0));
    if (!means.empty()) context->normal = at::stack(means, 0).mean(0);
    return context;
  }

  Scores score(const Towers& towers, const Input& input, Trace* /*trace*/) const override {
    const int64_t side = input.image.size(2);
    const vision::Grid grid = towers.vision->grid_of(input.image);
    std::vector<at::Tensor> maps;
    std::vector<at::Tensor> farthest;
    std::vector<at::Tensor> average;
    for (int64_t b = 0; b < input.image.size(0); ++b) {
      const auto& context = own_context<MeanPatch>(*input.contexts[static_cast<size_t>(b)], "toy");
      const at::Tensor d = distances(towers, input.image.slice(0, b, b + 1), context.normal);
      farthest.push_back(d.max().reshape({1}));
      average.push_back(d.mean().reshape({1}));
      maps.push_back(at::upsample_bilinear2d(d.view({1, 1, grid.height, grid.width}),
                                             {side, input.image.size(3)}, /*align_corners=*/false)[0]);
    }
    return {{at::cat(farthest, 0), at::cat(average, 0)}, at::cat(maps, 0)};
  }

  std::optional<FeatureShape> feature_shape(const Towers& towers) const override {
    const vision::Grid grid = towers.vision->grid_for(towers.height, towers.width);
    return FeatureShape{{{"distances", {grid.count()}}}, grid};
  }
  std::vector<NamedTensors> features(const Towers& towers, const at::Tensor& image) const override {
    std::vector<NamedTensors> all;
    for (int64_t b = 0; b < image.size(0); ++b) {
      all.push_back({{"distances", distances(towers, image.slice(0, b, b + 1), {})}});
    }
    return all;
  }
  std::unique_ptr<Learner> learner(const Towers& towers, const LearnerStart& start,
                                   const Settings& settings) const override {
    train::AdamOptions options;
    bool whole_masks = false;
    SettingsReader read(settings);
    read.number("learningRate", options.learning_rate);
    read.flag("wholeMasks", whole_masks);
    const vision::Grid grid = towers.vision->grid_for(towers.height, towers.width);
    return std::make_unique<ToyLearner>(
        start, options, whole_masks ? std::optional(train::CellGrid{grid.height, grid.width}) : std::nullopt);
  }

 private:
  // [n] in [0, scale]; normal: the patch to compare with, undefined: the picture's mean patch.
  at::Tensor distances(const Towers& towers, const at::Tensor& image, const at::Tensor& normal) const {
    const at::Tensor rows = patches(towers, image)[0];
    const at::Tensor mean = normal.defined() ? normal : rows.mean(0);
    return (1 - at::matmul(rows, layers::unit_rows(mean))).clamp(0, 1) * scale_;
  }

  double scale_ = 1;
  Facts facts_;
};

const bool k_is_added = [] {
  add("toy", [](const Settings& settings) -> std::shared_ptr<const Method> {
    return std::make_shared<Toy>(settings);
  });
  return true;
}();

}  // namespace
}  // namespace crane::methods
