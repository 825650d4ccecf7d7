#include "methods/crane/features.h"

#include <algorithm>

#include "core/error.h"
#include "methods/crane/e_attn.h"

namespace crane::methods {
namespace {

vision::StageNames stage_names() {
  vision::StageNames names;
  names.tokens = "stage.ln_pre";
  names.plain = "stage.block#";
  names.plain_beside_second = "stage.block#.x_ori";
  names.second = "stage.block#.x";
  names.values_input = "stage.dattn.input_ln1";
  return names;
}

// Without the class token, of every listed feature block (the final e stands for all where they are aliased).
std::vector<at::Tensor> e_attn_tokens(const vision::Tapped& tapped, const CraneOptions& options) {
  if (options.compat.aliased_features) return {tapped.second.slice(1, 1)};
  std::vector<at::Tensor> tokens;
  for (const auto& [block, e] : tapped.second_levels) tokens.push_back(e.slice(1, 1));
  return tokens;
}

// The pictures' patch features before ln_post, in the order of the maps: D-Attn before E-Attn, block by
// block.
std::vector<at::Tensor> map_tokens(const Towers& towers, const vision::Tapped& tapped,
                                   const SourceAffinity* affinity, vision::Grid grid,
                                   const CraneOptions& options, Trace* trace) {
  const std::vector<at::Tensor> e = e_attn_tokens(tapped, options);
  if (affinity == nullptr) return e;
  affinity->join();
  const at::Tensor e_final = vision::resize_patches(e.back(), grid, affinity->grid);
  std::vector<at::Tensor> maps;
  for (const auto& [layer, values] : tapped.values) {
    maps.push_back(
        d_attn(towers.vision->blocks()[layer - 1], *affinity, values.slice(1, 1), grid, options, trace));
    if (options.maps == Maps::both) maps.push_back(e_final);
  }
  return maps;
}

}  // namespace

PictureFeatures picture_features(const Towers& towers, const at::Tensor& image,
                                 const SourceAffinity* affinity, const CraneOptions& options, Trace* trace) {
  const vision::Tower& tower = *towers.vision;
  const vision::Grid grid = tower.grid_of(image);
  CRANE_CHECK_INVARIANT(tower.registers() == 0, tower.registers(), " registers in the vision tower");
  const vision::Taps taps = e_attn_taps(options, static_cast<int64_t>(tower.blocks().size()));
  const vision::Tapped tapped = tower.forward(image, taps, trace, stage_names());

  const at::Tensor cls_raw = tower.project(tapped.plain.select(1, 0));  // [B, D]
  std::vector<at::Tensor> raw_maps;
  for (const at::Tensor& tokens : map_tokens(towers, tapped, affinity, grid, options, trace)) {
    raw_maps.push_back(tower.project(tokens));
  }
  const at::Tensor patch_raw = at::stack(raw_maps, /*dim=*/0);  // [m, B, n, D]
  const PictureFeatures result{layers::unit_rows(cls_raw), layers::unit_rows(patch_raw),
                               affinity ? affinity->grid : grid};
  if (trace) {
    trace->record("cls_raw", cls_raw);
    trace->record("cls_norm", result.global);
    // Pictures first, so that a batch is put together along the first axis: [B, m, n, .].
    trace->record("patch_raw", patch_raw.transpose(0, 1));
    trace->record("patch_norm", result.maps.transpose(0, 1));
  }
  return result;
}

int64_t distinct_maps(const CraneOptions& options) {
  if (!options.d_attn)
    return options.compat.aliased_features ? 1 : static_cast<int64_t>(options.features.size());
  const auto layers = std::max<int64_t>(1, static_cast<int64_t>(options.compat.d_attn_layers.size()));
  return layers * (options.maps == Maps::both ? 2 : 1);
}

int64_t copies_of_maps(const CraneOptions& options) {
  const bool is_one = !options.d_attn && options.compat.aliased_features;
  return is_one ? static_cast<int64_t>(options.features.size()) : 1;
}

}  // namespace crane::methods
