#include "methods/crane/crane.h"

#include <algorithm>
#include <functional>
#include <span>

#include "core/error.h"
#include "cuda/tensors.h"
#include "methods/crane/e_attn.h"
#include "methods/crane/features.h"
#include "methods/crane/fusion.h"
#include "methods/crane/prompt_learner.h"
#include "methods/learned_prompts.h"
#include "methods/maps.h"
#include "text/kept_vectors.h"

namespace crane::methods {
namespace {

using Contexts = std::span<const Context* const>;

void check_source(const Towers& towers, const CraneOptions& options) {
  check_input(!options.d_attn || towers.source != nullptr, "E_MODEL_CONFIG",
              "dAttn needs a spatial source, and the model has none");
}

// The text vectors of each picture, [B, 2, D]. global: [B, D].
at::Tensor text_vectors(const Towers& towers, Contexts contexts, const at::Tensor& global,
                        const CraneOptions& options) {
  std::vector<at::Tensor> vectors;
  for (size_t b = 0; b < contexts.size(); ++b) {
    const auto& own = own_context<EncodedPrompts>(*contexts[b], "crane");
    if (options.guidance_at_test == text::Guidance::none) {
      vectors.push_back(own.features.unsqueeze(0));
      continue;
    }
    const text::EncodeOptions how{options.guidance_at_test, options.compat.half_deep_tokens};
    const auto at = static_cast<int64_t>(b);
    vectors.push_back(towers.text->get().encode(own.prompts, how, global.slice(0, at, at + 1), nullptr).unit);
  }
  return vectors.size() == 1 ? vectors.front() : at::cat(vectors, /*dim=*/0);
}

// image [B, 3, H, W] -> visit(b, features) of all pictures at once, or of each picture b.
void for_features(const Towers& towers, const at::Tensor& image, bool at_once, const CraneOptions& options,
                  Trace* trace, const std::function<void(int64_t, const PictureFeatures&)>& visit) {
  check_source(towers, options);
  SourceAffinity affinity;
  if (options.d_attn) affinity = source_affinity(towers, image, options, trace);
  if (at_once) {
    visit(0, picture_features(towers, image, options.d_attn ? &affinity : nullptr, options, trace));
    return;
  }
  for (int64_t b = 0; b < image.size(0); ++b) {
    SourceAffinity own;
    if (options.d_attn) own = affinity.picture(b);
    visit(b, picture_features(towers, image.slice(0, b, b + 1), options.d_attn ? &own : nullptr, options,
                              trace));
  }
}

// Of pictures of height x width with these features, and a context each.
Scores score_features(const Towers& towers, int64_t height, int64_t width, const PictureFeatures& features,
                      Contexts contexts, const CraneOptions& options, Trace* trace) {
  const at::Tensor text = text_vectors(towers, contexts, features.global, options);

  const at::Tensor pixel_logits = text_logits(features.maps, text, options.temperature);  // [m, B, n, 2]
  const at::Tensor image_feature =
      options.fusion ? fuse(features.maps, pixel_logits, features.global, trace) : features.global;
  const at::Tensor image_logits =
      text_logits(image_feature.unsqueeze(1), text, options.temperature).squeeze(1);

  Scores scores;
  scores.parts = {at::softmax(image_logits, /*dim=*/-1).select(-1, 1)};
  scores.map =
      anomaly_map(pixel_logits, features.grid.height, features.grid.width, height, width, options.soft_mean);
  if (trace) {
    trace->record("text_features", text);
    trace->record("pixel_logits", pixel_logits.transpose(0, 1));
    trace->record("image_feature", image_feature);
    trace->record("image_logits", image_logits);
    trace->record("score", scores.parts[0]);
    trace->record("map", scores.map);
  }
  return scores;
}

}  // namespace

Crane::Crane(const Settings& settings) : Method("crane", settings), options_(parse_crane(settings)) {
  facts_.parts = {"fused"};
  facts_.couples_pictures = options_.compat.batch_mean;
  // Guided text is encoded from the picture, with work that depends on the prompts.
  facts_.is_recordable = options_.guidance_at_test == text::Guidance::none;
  // A D-Attn row that keeps nothing is the one NaN somebody may ask for.
  facts_.may_be_nan = options_.compat.empty_rows == attention::EmptyRows::nan;
}

std::shared_ptr<const Method> make_crane(const Settings& settings) {
  return std::make_shared<Crane>(settings);
}

std::shared_ptr<const Context> Crane::prepare(const Towers& towers, const Material& material,
                                              std::span<const at::Tensor> /*normals*/) const {
  auto encoded = std::make_shared<EncodedPrompts>();
  encoded->prompts = load_prompt_pair(towers, material, name(), options_.compat.stored_tokens);
  if (!material.kept.empty()) {
    encoded->features = text::read_kept_vectors(material.kept, towers.vision->joint_width());
  }
  if (encoded->features.defined()) {
    encoded->features = encoded->features.to(towers.device);
    return encoded;
  }
  const text::EncodeOptions how{text::Guidance::none, options_.compat.half_deep_tokens};
  encoded->features = towers.text->get().encode(encoded->prompts, how, {}, nullptr).unit.squeeze(0);
  if (!material.kept.empty()) text::keep_vectors(material.kept, encoded->features);
  return encoded;
}

// On a CPU pictures run one by one: no matrix product, and so no bit of a score, depends on what shares the
// call. A GPU is filled by whole batches only; there last bits may follow the batch. A trace is taken picture
// by picture everywhere.
Scores Crane::score(const Towers& towers, const Input& input, Trace* trace) const {
  const bool at_once = cuda::runs_batches(input.image.device()) && trace == nullptr;
  const Contexts contexts(input.contexts);
  std::vector<at::Tensor> fused;
  std::vector<at::Tensor> maps;
  for_features(
      towers, input.image, at_once, options_, trace, [&](int64_t b, const PictureFeatures& features) {
        const Contexts own = at_once ? contexts : contexts.subspan(static_cast<size_t>(b), 1);
        const Scores scores =
            score_features(towers, input.image.size(2), input.image.size(3), features, own, options_, trace);
        fused.push_back(scores.parts[0]);
        maps.push_back(scores.map);
      });
  if (fused.size() == 1) return {{fused.front()}, maps.front()};
  return {{at::cat(fused, /*dim=*/0)}, at::cat(maps, /*dim=*/0)};
}

std::optional<FeatureShape> Crane::feature_shape(const Towers& towers) const {
  check_source(towers, options_);
  e_attn_taps(options_, towers.vision->layers());
  const vision::SpatialSource* tower = towers.vision;
  if (options_.d_attn) tower = towers.source;
  const vision::Grid grid = tower->grid_for(towers.height, towers.width);
  const int64_t width = towers.vision->joint_width();
  return FeatureShape{{{"global", {width}}, {"maps", {distinct_maps(options_), grid.count(), width}}}, grid};
}

std::vector<NamedTensors> Crane::features(const Towers& towers, const at::Tensor& image) const {
  std::vector<NamedTensors> pictures;
  for_features(towers, image, /*at_once=*/false, options_, nullptr,
               [&](int64_t /*b*/, const PictureFeatures& features) {
                 pictures.push_back({{"global", features.global[0]}, {"maps", features.maps.select(1, 0)}});
               });
  return pictures;
}

Scores Crane::score_kept(const Towers& towers, const NamedTensors& features, const Context& context) const {
  const auto of = [&](std::string_view name) {
    const auto found = std::ranges::find(features, name, &NamedTensors::value_type::first);
    check_input(found != features.end(), "E_NORMALS", "features of a picture without its ", name);
    return found->second;
  };
  const PictureFeatures kept{of("global").unsqueeze(0), of("maps").unsqueeze(1), feature_shape(towers)->grid};
  const Context* const own = &context;
  return score_features(towers, towers.height, towers.width, kept, {&own, 1}, options_, nullptr);
}

std::unique_ptr<Learner> Crane::learner(const Towers& towers, const LearnerStart& start,
                                        const Settings& settings) const {
  return std::make_unique<PromptLearner>(towers, start, parse_prompt_training(settings, options_),
                                         copies_of_maps(options_), feature_shape(towers)->grid);
}

void Crane::trace_context(const Towers& towers, const Material& material, const at::Tensor& guidance,
                          Trace& trace) const {
  const text::EncodeOptions how{options_.guidance_at_test, options_.compat.half_deep_tokens};
  towers.text->get().encode(load_prompt_pair(towers, material, name(), options_.compat.stored_tokens), how,
                            guidance, &trace);
}

}  // namespace crane::methods
