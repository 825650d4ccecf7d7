#include "methods/crane/features.h"

#include "methods/crane/e_attn.h"

namespace crane::methods {
namespace {

// The pictures' patch features before ln_post, in the order of the maps: D-Attn before E-Attn, block by
// block.
std::vector<at::Tensor> map_tokens(const Towers& towers, const vision::TwoStreamFeatures& features,
                                   const SourceAffinity* affinity, vision::Grid grid,
                                   const CraneOptions& options, Trace* trace) {
  std::vector<at::Tensor> maps;
  if (affinity == nullptr) return features.e;
  affinity->join();
  const at::Tensor e_final = vision::resize_patches(features.e.back(), grid, affinity->grid);
  for (const auto& [layer, values] : features.values) {
    maps.push_back(d_attn(towers.vision->blocks()[layer - 1], *affinity, values, grid, options, trace));
    if (options.maps == Maps::both) maps.push_back(e_final);
  }
  return maps;
}

}  // namespace

PictureFeatures picture_features(const Towers& towers, const at::Tensor& image,
                                 const SourceAffinity* affinity, const CraneOptions& options, Trace* trace) {
  const vision::Tower& tower = *towers.vision;
  const vision::Grid grid = tower.grid_of(image);
  const vision::TwoStreamRequest request =
      e_attn_request(options, static_cast<int64_t>(tower.blocks().size()));
  const vision::TwoStreamFeatures features = vision::two_stream_forward(tower, image, request, trace);

  const at::Tensor cls_raw = tower.project(features.cls);  // [B, D]
  std::vector<at::Tensor> raw_maps;
  for (const at::Tensor& tokens : map_tokens(towers, features, affinity, grid, options, trace)) {
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

}  // namespace crane::methods
