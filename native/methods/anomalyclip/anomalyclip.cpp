#include "methods/anomalyclip/anomalyclip.h"

#include "core/error.h"
#include "methods/anomalyclip/features.h"
#include "methods/anomalyclip/learner.h"
#include "methods/maps.h"
#include "text/kept_vectors.h"

namespace crane::methods {
namespace {

struct TextPair final : Context {
  at::Tensor vectors;  // [2, D] unit rows: normal, anomalous

  at::Tensor text_vectors() const override { return vectors; }
};

// Of one picture: "class-token" [1] and the map [1, H, W].
Scores score_picture(const vision::Tower& tower, const at::Tensor& image, const at::Tensor& text,
                     const anomalyclip::Options& options, Trace* trace) {
  const anomalyclip::PictureFeatures features = anomalyclip::picture_features(tower, image, options, trace);
  const at::Tensor p = at::softmax(text_logits(features.maps, text, options.temperature), -1);  // [L, n, 2]
  const at::Tensor p_image = at::softmax(text_logits(features.global, text, options.temperature), -1);
  // Upsampling is linear: the sum over the levels goes first. (a + 1 - n) / 2 of the authors' code is a.
  const at::Tensor sum =
      p.select(-1, 1).sum(0).view({1, -1, 1}) * static_cast<double>(anomalyclip::copies_of_levels(options));
  Scores scores;
  scores.parts = {p_image.select(-1, 1)};
  scores.map = upsampled(sum, tower.grid_of(image), image.size(2), image.size(3), /*align_corners=*/false)
                   .select(1, 0);
  if (trace != nullptr) {
    trace->record("probabilities", p.unsqueeze(0));
    trace->record("score", scores.parts[0]);
    trace->record("map", scores.map);
  }
  return scores;
}

}  // namespace

AnomalyClip::AnomalyClip(const Settings& settings)
    : Method(anomalyclip::k_name, settings), options_(anomalyclip::parse(settings)) {
  facts_.parts = {"class-token"};
  facts_.is_recordable = true;
}

std::shared_ptr<const Method> make_anomalyclip(const Settings& settings) {
  return std::make_shared<AnomalyClip>(settings);
}

std::shared_ptr<const Context> AnomalyClip::prepare(const Towers& towers, const Material& material,
                                                    std::span<const at::Tensor> /*normals*/) const {
  auto pair = std::make_shared<TextPair>();
  const text::PromptSet prompts = load_prompt_pair(towers, material, name(), options_.compat.stored_tokens);
  if (!material.kept.empty()) {
    pair->vectors = text::read_kept_vectors(material.kept, towers.vision->joint_width());
  }
  if (pair->vectors.defined()) {
    pair->vectors = pair->vectors.to(towers.device);
    return pair;
  }
  const text::EncodeOptions how{text::Guidance::none, options_.compat.half_deep_tokens};
  pair->vectors = towers.text->get().encode(prompts, how, {}, nullptr).unit.squeeze(0);
  if (!material.kept.empty()) text::keep_vectors(material.kept, pair->vectors);
  return pair;
}

// Pictures run one by one: no bit of a score depends on what shares the call.
Scores AnomalyClip::score(const Towers& towers, const Input& input, Trace* trace) const {
  std::vector<at::Tensor> cls;
  std::vector<at::Tensor> maps;
  for (int64_t b = 0; b < input.image.size(0); ++b) {
    const auto& context = own_context<TextPair>(*input.contexts[static_cast<size_t>(b)], name());
    const Scores scores =
        score_picture(*towers.vision, input.image.slice(0, b, b + 1), context.vectors, options_, trace);
    cls.push_back(scores.parts[0]);
    maps.push_back(scores.map);
  }
  return {{at::cat(cls, /*dim=*/0)}, at::cat(maps, /*dim=*/0)};
}

std::optional<FeatureShape> AnomalyClip::feature_shape(const Towers& towers) const {
  anomalyclip::check_settings(options_, towers.vision->layers());
  const int64_t width = towers.vision->joint_width();
  const int64_t patches = towers.vision->grid_for(towers.height, towers.width).count();
  return FeatureShape{
      {{"global", {width}}, {"maps", {anomalyclip::distinct_levels(options_), patches, width}}},
      {towers.height, towers.width}};
}

std::vector<NamedTensors> AnomalyClip::features(const Towers& towers, const at::Tensor& image) const {
  std::vector<NamedTensors> pictures;
  for (int64_t b = 0; b < image.size(0); ++b) {
    const anomalyclip::PictureFeatures own =
        anomalyclip::picture_features(*towers.vision, image.slice(0, b, b + 1), options_, nullptr);
    pictures.push_back({{"global", own.global[0]}, {"maps", own.maps}});
  }
  return pictures;
}

std::unique_ptr<Learner> AnomalyClip::learner(const Towers& towers, const LearnerStart& start,
                                              const Settings& settings) const {
  return std::make_unique<anomalyclip::PromptLearner>(towers, start,
                                                      anomalyclip::parse_training(settings, options_),
                                                      anomalyclip::copies_of_levels(options_));
}

void AnomalyClip::trace_context(const Towers& towers, const Material& material,
                                const at::Tensor& /*guidance*/, Trace& trace) const {
  const text::EncodeOptions how{text::Guidance::none, options_.compat.half_deep_tokens};
  towers.text->get().encode(load_prompt_pair(towers, material, name(), options_.compat.stored_tokens), how,
                            {}, &trace);
}

}  // namespace crane::methods
