#include "methods/anomalyclip/features.h"

#include "core/error.h"
#include "methods/levels.h"

namespace crane::methods::anomalyclip {
namespace {

// The v-v stream x gathers the attention of values with values and never passes an MLP; blocks before it have
// one stream, which is their level (docs/methods/anomalyclip.md).
vision::Taps taps_of(const Options& options, int64_t blocks) {
  check_input(options.e_attn_layers >= 1 && options.e_attn_layers <= blocks, "E_MODEL_CONFIG",
              "eAttnLayers is ", options.e_attn_layers, ", the vision tower has ", blocks, " blocks");
  methods::check_levels(options.features, blocks);
  vision::Taps taps;
  const attention::SelfSet values_alone{/*q=*/false, /*k=*/false, /*v=*/true};
  taps.second = vision::SecondStream{values_alone, blocks - options.e_attn_layers + 1, {}};
  for (const int64_t level : options.features) {
    if (options.compat.aliased_features) continue;
    (level < taps.second->first ? taps.levels : taps.second->levels).push_back(level);
  }
  return taps;
}

vision::StageNames stage_names() {
  vision::StageNames names;
  names.positions = "vis.positions";
  names.tokens = "vis.ln_pre";
  names.plain = "vis.block#";
  names.plain_beside_second = "vis.block#.x_ori";
  names.second = "vis.block#.x";
  return names;
}

}  // namespace

PictureFeatures picture_features(const vision::Tower& tower, const at::Tensor& image, const Options& options,
                                 Trace* trace) {
  CRANE_CHECK_INVARIANT(tower.registers() == 0, tower.registers(), " registers in the vision tower");
  const vision::Taps taps = taps_of(options, tower.layers());
  const vision::Tapped tapped = tower.forward(image, taps, trace, stage_names());

  const at::Tensor cls_token = tapped.plain.select(1, 0);
  const at::Tensor cls =
      options.compat.cls_without_ln_post ? tower.to_joint(cls_token) : tower.project(cls_token);
  std::vector<at::Tensor> levels;
  if (options.compat.aliased_features) {
    levels.push_back(tapped.second);
  } else {
    for (const int64_t level : options.features) {
      levels.push_back(level < taps.second->first ? tapped.levels.at(level) : tapped.second_levels.at(level));
    }
  }
  std::vector<at::Tensor> maps;
  for (const at::Tensor& tokens : levels) {
    // A trace shows the class token's row too, as the authors' code keeps it until the end.
    const at::Tensor joint = tower.project(trace != nullptr ? tokens : tokens.slice(1, 1));
    if (trace != nullptr) trace->record(join_text("vis.patch_level", maps.size()), joint);
    maps.push_back(layers::unit_rows(trace != nullptr ? joint.slice(1, 1) : joint)[0]);
  }
  if (trace != nullptr) trace->record("vis.cls", cls);
  return {layers::unit_rows(cls), at::stack(maps, /*dim=*/0)};
}

void check_settings(const Options& options, int64_t blocks) { taps_of(options, blocks); }

int64_t distinct_levels(const Options& options) {
  return options.compat.aliased_features ? 1 : static_cast<int64_t>(options.features.size());
}

int64_t copies_of_levels(const Options& options) {
  return options.compat.aliased_features ? static_cast<int64_t>(options.features.size()) : 1;
}

}  // namespace crane::methods::anomalyclip
