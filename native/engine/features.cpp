// The feature cache through the engine: see engine.h.
#include <ATen/core/grad_mode.h>

#include "engine/state.h"
#include "train/feature_file.h"

namespace crane {

methods::PictureFeatures Engine::State::features(const at::Tensor& images,
                                                 const methods::CraneOptions& options) const {
  methods::SourceAffinity affinity;
  if (options.d_attn) {
    check_input(source != nullptr, "E_MODEL_CONFIG", "dAttn needs a spatial source, and the model has none");
    affinity = methods::source_affinity(towers(), images, options, nullptr);
  }
  std::vector<at::Tensor> maps;
  std::vector<at::Tensor> globals;
  methods::PictureFeatures result;
  for (int64_t b = 0; b < images.size(0); ++b) {
    methods::SourceAffinity own;
    if (options.d_attn) own = affinity.picture(b);
    const methods::PictureFeatures features = methods::picture_features(
        towers(), images.slice(0, b, b + 1), options.d_attn ? &own : nullptr, options, nullptr);
    maps.push_back(features.maps);
    globals.push_back(features.global);
    result.grid = features.grid;
  }
  result.maps = at::cat(maps, /*dim=*/1);
  result.global = at::cat(globals, /*dim=*/0);
  return result;
}

FeatureShape Engine::State::feature_shape(const ScoreOptions& options) const {
  const methods::CraneOptions& method = options.method;
  check_input(!method.d_attn || source != nullptr, "E_MODEL_CONFIG",
              "dAttn needs a spatial source, and the model has none");
  FeatureShape shape;
  const vision::SpatialSource* tower = &vision;
  if (method.d_attn) tower = source.get();
  const vision::Grid grid = tower->grid_for(config.height, config.width);
  shape.grid_height = grid.height;
  shape.grid_width = grid.width;
  shape.width = facts.joint_width;
  const auto listed = static_cast<int64_t>(method.features.size());
  if (method.d_attn) {
    const auto layers = std::max<int64_t>(1, static_cast<int64_t>(method.compat.d_attn_layers.size()));
    shape.maps = layers * (method.maps == methods::Maps::both ? 2 : 1);
  } else {
    // Listed layers that all show the final e are one map that counts as often as it is listed (method.md 3).
    shape.maps = method.compat.aliased_features ? 1 : listed;
    shape.copies = method.compat.aliased_features ? listed : 1;
  }
  return shape;
}

FeatureShape Engine::feature_shape(const ScoreOptions& options) const {
  if (options.method.compat.batch_mean) {
    throw Error("E_MODEL_CONFIG",
                "with compat.batchMean a picture's features depend on its neighbours: they cannot be kept",
                "leave compat.batchMean off to train from the feature cache");
  }
  return state_->feature_shape(options);
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
      const image::ViewPlan plan = state.plan_of(stretched);
      const at::Tensor input = state.input_of(stretched, plan, plan.views.front()).to(state.device);
      const methods::PictureFeatures features = state.features(input, options.method);
      const bool is_finite =
          at::isfinite(features.maps).all().item<bool>() && at::isfinite(features.global).all().item<bool>();
      check_input(is_finite, "E_IMAGE_NONFINITE", item.path, ": the picture's features are not finite");
      train::write_features(item.path, {features.global[0], features.maps.select(1, 0)}, precision);
    }
  });
}

}  // namespace crane
