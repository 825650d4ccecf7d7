// The feature cache through the engine: see engine.h.
#include <ATen/core/grad_mode.h>

#include "core/error.h"
#include "engine/state.h"
#include "methods/method.h"
#include "train/feature_file.h"

namespace crane {

FeatureFacts Engine::feature_shape(const ScoreOptions& options) const {
  check_input(!options.method->facts().couples_pictures, "E_MODEL_CONFIG",
              "with these settings a picture's features depend on its neighbours: they cannot be kept");
  const auto shape = options.method->feature_shape(state_->towers());
  check_input(shape.has_value(), "E_MODEL_CONFIG", "method ", options.method->name(),
              " has no features that could be kept: it trains on pictures only");
  FeatureFacts facts;
  for (const methods::FeatureTensor& tensor : shape->tensors)
    facts.tensors.emplace_back(tensor.name, tensor.shape);
  facts.grid_height = shape->grid.height;
  facts.grid_width = shape->grid.width;
  return facts;
}

void Engine::write_features(std::span<const FeatureItem> items, bool half_precision,
                            const ScoreOptions& options, const CancelToken* cancel) const {
  const c10::InferenceMode guard;
  translate_errors([&] {
    const State& state = *state_;
    state.use_own_threads();
    feature_shape(options);  // refuses what cannot be kept
    const auto precision = half_precision ? train::FeaturePrecision::f16 : train::FeaturePrecision::f32;
    for (const FeatureItem& item : items) {
      if (cancel) cancel->check();
      ScoreItem stretched;
      stretched.picture = item.picture;
      const image::ViewPlan plan = state.plan_of(stretched, *options.method);
      const at::Tensor input = state.input_of(stretched, plan, plan.views.front()).to(state.device);
      const methods::NamedTensors features = options.method->features(state.towers(), input).front();
      std::vector<std::pair<std::string, at::Tensor>> stored;
      for (const auto& [name, value] : features) {
        check_input(at::isfinite(value).all().item<bool>(), "E_IMAGE_NONFINITE", item.path,
                    ": the picture's features are not finite");
        stored.emplace_back(name, value);
      }
      train::write_feature_file(item.path, stored, precision, item.masks);
    }
  });
}

}  // namespace crane
