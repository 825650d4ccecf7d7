// What of a picture a bank remembers: one row for each patch, read off a vision tower (methods/normals.md 1).
#pragma once

#include <cstdint>
#include <vector>

#include "vision/spatial_source.h"
#include "vision/tower.h"

namespace crane::normals {

struct PatchSource {
  bool is_source = false;  // the spatial source's final features instead of the vision tower's
  // Of the vision tower, counted from 1: the plain stream after each, behind the tower's last LayerNorm,
  // which evens out the few channels that are far larger than the others.
  std::vector<int64_t> blocks;

  bool operator==(const PatchSource&) const = default;
};

// The towers of one engine; source may be null.
struct PatchTowers {
  const vision::Tower& vision;
  const vision::SpatialSource* source;
};

// Errors: E_MODEL_CONFIG for blocks that the tower does not have, or a source that the model does not have.
void check_patch_source(const PatchTowers& towers, const PatchSource& what);

// Patches of an input of height x width pixels, and numbers in a row.
vision::Grid grid_of(const PatchTowers& towers, const PatchSource& what, int64_t height, int64_t width);
int64_t row_width(const PatchTowers& towers, const PatchSource& what);

// image [1, 3, H, W] normalised for the vision tower -> [N, D] float32 unit rows on grid_of(). Rows of
// several blocks stand beside each other, each of unit length over the root of their number, so that a cosine
// is the mean of the blocks' cosines. Errors: E_WEIGHTS_NONFINITE.
at::Tensor patch_rows(const PatchTowers& towers, const PatchSource& what, const at::Tensor& image);

}  // namespace crane::normals
