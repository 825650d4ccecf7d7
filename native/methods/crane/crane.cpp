#include "methods/crane/crane.h"

#include "core/error.h"
#include "methods/crane/features.h"
#include "methods/crane/fusion.h"

namespace crane::methods {
namespace {

// One picture.
Scores score_picture(const Towers& towers, const at::Tensor& image, const EncodedPrompts& prompts,
                     const SourceAffinity* affinity, const CraneOptions& options, Trace* trace) {
  const PictureFeatures features = picture_features(towers, image, affinity, options, trace);
  at::Tensor text = prompts.features.unsqueeze(0);  // [1, 2, D]
  if (options.guidance_at_test != text::Guidance::none) {
    const text::EncodeOptions how{options.guidance_at_test, options.compat.half_deep_tokens};
    text = towers.text->get().encode(prompts.prompts, how, features.global, nullptr).unit;
  }

  const at::Tensor pixel_logits = text_logits(features.maps, text, options.temperature);  // [m, 1, n, 2]
  const at::Tensor image_feature =
      options.fusion ? fuse(features.maps, pixel_logits, features.global, trace) : features.global;
  const at::Tensor image_logits =
      text_logits(image_feature.unsqueeze(1), text, options.temperature).squeeze(1);

  Scores scores;
  scores.fused = at::softmax(image_logits, /*dim=*/-1).select(-1, 1);
  scores.map = anomaly_map(pixel_logits, features.grid.height, features.grid.width, image.size(2),
                           image.size(3), options.soft_mean);
  if (trace) {
    trace->record("text_features", text);
    trace->record("pixel_logits", pixel_logits.transpose(0, 1));
    trace->record("image_feature", image_feature);
    trace->record("image_logits", image_logits);
    trace->record("score", scores.fused);
    trace->record("map", scores.map);
  }
  return scores;
}

}  // namespace

// Pictures run one by one: no matrix product, and so no bit of a score, depends on what shares the call.
Scores Crane::score(const Towers& towers, const MethodInput& input, Trace* trace) const {
  check_input(!options_.d_attn || towers.source != nullptr, "E_MODEL_CONFIG",
              "dAttn needs a spatial source, and the model has none");
  SourceAffinity affinity;
  if (options_.d_attn) affinity = source_affinity(towers, input.image, options_, trace);

  std::vector<at::Tensor> fused;
  std::vector<at::Tensor> maps;
  for (int64_t b = 0; b < input.image.size(0); ++b) {
    SourceAffinity own;
    if (options_.d_attn) own = affinity.picture(b);
    const Scores scores = score_picture(towers, input.image.slice(0, b, b + 1), *input.prompts[b],
                                        options_.d_attn ? &own : nullptr, options_, trace);
    fused.push_back(scores.fused);
    maps.push_back(scores.map);
  }
  return {at::cat(fused, /*dim=*/0), at::cat(maps, /*dim=*/0)};
}

}  // namespace crane::methods
