#include "methods/crane/crane.h"

#include <span>

#include "core/error.h"
#include "cuda/tensors.h"
#include "methods/crane/features.h"
#include "methods/crane/fusion.h"

namespace crane::methods {
namespace {

using Prompts = std::span<const EncodedPrompts* const>;

// The text vectors of each picture, [B, 2, D]. global: [B, D].
at::Tensor text_vectors(const Towers& towers, Prompts prompts, const at::Tensor& global,
                        const CraneOptions& options) {
  std::vector<at::Tensor> vectors;
  for (size_t b = 0; b < prompts.size(); ++b) {
    if (options.guidance_at_test == text::Guidance::none) {
      vectors.push_back(prompts[b]->features.unsqueeze(0));
      continue;
    }
    const text::EncodeOptions how{options.guidance_at_test, options.compat.half_deep_tokens};
    const auto at = static_cast<int64_t>(b);
    vectors.push_back(
        towers.text->get().encode(prompts[b]->prompts, how, global.slice(0, at, at + 1), nullptr).unit);
  }
  return vectors.size() == 1 ? vectors.front() : at::cat(vectors, /*dim=*/0);
}

// image [B, 3, H, W], one prompt set each; `affinity` of the same pictures.
Scores score_pictures(const Towers& towers, const at::Tensor& image, Prompts prompts,
                      const SourceAffinity* affinity, const CraneOptions& options, Trace* trace) {
  const PictureFeatures features = picture_features(towers, image, affinity, options, trace);
  const at::Tensor text = text_vectors(towers, prompts, features.global, options);

  const at::Tensor pixel_logits = text_logits(features.maps, text, options.temperature);  // [m, B, n, 2]
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

// On a CPU pictures run one by one: no matrix product, and so no bit of a score, depends on what shares the
// call. A GPU is filled by whole batches only; there last bits may follow the batch. A trace is taken picture
// by picture everywhere.
Scores Crane::score(const Towers& towers, const MethodInput& input, Trace* trace) const {
  check_input(!options_.d_attn || towers.source != nullptr, "E_MODEL_CONFIG",
              "dAttn needs a spatial source, and the model has none");
  SourceAffinity affinity;
  if (options_.d_attn) affinity = source_affinity(towers, input.image, options_, trace);

  if (cuda::runs_batches(input.image.device()) && trace == nullptr) {
    return score_pictures(towers, input.image, input.prompts, options_.d_attn ? &affinity : nullptr, options_,
                          nullptr);
  }
  std::vector<at::Tensor> fused;
  std::vector<at::Tensor> maps;
  for (int64_t b = 0; b < input.image.size(0); ++b) {
    SourceAffinity own;
    if (options_.d_attn) own = affinity.picture(b);
    const Scores scores =
        score_pictures(towers, input.image.slice(0, b, b + 1), Prompts(input.prompts).subspan(b, 1),
                       options_.d_attn ? &own : nullptr, options_, trace);
    fused.push_back(scores.fused);
    maps.push_back(scores.map);
  }
  return {at::cat(fused, /*dim=*/0), at::cat(maps, /*dim=*/0)};
}

}  // namespace crane::methods
