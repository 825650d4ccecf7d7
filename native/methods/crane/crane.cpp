#include "methods/crane/crane.h"

#include "core/error.h"
#include "methods/crane/d_attn.h"
#include "methods/crane/e_attn.h"
#include "methods/crane/fusion.h"

namespace crane::methods {
namespace {

// The pictures' patch features before ln_post, in the order of the maps: D-Attn before E-Attn, block by
// block.
std::vector<at::Tensor> map_tokens(const Towers& towers, const vision::TwoStreamFeatures& features,
                                   const SourceAffinity* affinity, vision::Grid grid,
                                   const CraneOptions& options, Trace* trace) {
  std::vector<at::Tensor> maps;
  if (affinity == nullptr) return features.e;
  const at::Tensor e_final = vision::resize_patches(features.e.back(), grid, affinity->grid);
  for (const auto& [layer, values] : features.values) {
    maps.push_back(d_attn(towers.vision->blocks()[layer - 1], *affinity, values, grid, options, trace));
    if (options.maps == Maps::both) maps.push_back(e_final);
  }
  return maps;
}

SourceAffinity of_picture(const SourceAffinity& all, int64_t b) {
  return {all.features.slice(0, b, b + 1), all.means.slice(0, b, b + 1), all.grid};
}

// One picture: image [1, 3, H, W].
Scores score_picture(const Towers& towers, const at::Tensor& image, const EncodedPrompts& prompts,
                     const SourceAffinity* affinity, const vision::TwoStreamRequest& request,
                     const CraneOptions& options, Trace* trace) {
  const vision::Tower& tower = *towers.vision;
  const vision::Grid grid = tower.grid_of(image);
  const vision::TwoStreamFeatures features = vision::two_stream_forward(tower, image, request, trace);

  const at::Tensor cls_raw = tower.project(features.cls);  // [1, D]
  const at::Tensor global = layers::unit_rows(cls_raw);
  std::vector<at::Tensor> raw_maps;
  for (const at::Tensor& tokens : map_tokens(towers, features, affinity, grid, options, trace)) {
    raw_maps.push_back(tower.project(tokens));
  }
  const at::Tensor patch_raw = at::stack(raw_maps, /*dim=*/0);  // [m, 1, n, D]
  const at::Tensor patch_unit = layers::unit_rows(patch_raw);

  at::Tensor text = prompts.features.unsqueeze(0);  // [1, 2, D]
  if (options.guidance_at_test != text::Guidance::none) {
    text = towers.text
               ->encode(prompts.prompts, {options.guidance_at_test, options.compat.half_deep_tokens}, global,
                        nullptr)
               .unit;
  }

  const at::Tensor pixel_logits = text_logits(patch_unit, text, options.temperature);  // [m, 1, n, 2]
  const at::Tensor image_feature = options.fusion ? fuse(patch_unit, pixel_logits, global, trace) : global;
  const at::Tensor image_logits =
      text_logits(image_feature.unsqueeze(1), text, options.temperature).squeeze(1);
  const vision::Grid map_grid = affinity ? affinity->grid : grid;

  Scores scores;
  scores.fused = at::softmax(image_logits, /*dim=*/-1).select(-1, 1);
  scores.map = anomaly_map(pixel_logits, map_grid.height, map_grid.width, image.size(2), image.size(3),
                           options.soft_mean);
  if (trace) {
    trace->record("cls_raw", cls_raw);
    trace->record("cls_norm", global);
    trace->record("text_features", text);
    // Pictures first, so that a batch is put together along the first axis: [B, m, n, .].
    trace->record("patch_raw", patch_raw.transpose(0, 1));
    trace->record("patch_norm", patch_unit.transpose(0, 1));
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
  const vision::TwoStreamRequest request =
      e_attn_request(options_, static_cast<int64_t>(towers.vision->blocks().size()));
  check_input(!options_.d_attn || towers.source != nullptr, "E_MODEL_CONFIG",
              "dAttn needs a spatial source, and the model has none");
  SourceAffinity affinity;
  if (options_.d_attn) affinity = source_affinity(towers, input.image, options_, trace);

  std::vector<at::Tensor> fused;
  std::vector<at::Tensor> maps;
  for (int64_t b = 0; b < input.image.size(0); ++b) {
    SourceAffinity own;
    if (options_.d_attn) own = of_picture(affinity, b);
    const Scores scores = score_picture(towers, input.image.slice(0, b, b + 1), *input.prompts[b],
                                        options_.d_attn ? &own : nullptr, request, options_, trace);
    fused.push_back(scores.fused);
    maps.push_back(scores.map);
  }
  return {at::cat(fused, /*dim=*/0), at::cat(maps, /*dim=*/0)};
}

}  // namespace crane::methods
