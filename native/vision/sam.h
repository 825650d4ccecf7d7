// SAM's image encoder (ViTDet): most blocks attend within windows, some over the whole grid, all with
// decomposed relative positions; a convolutional neck ends it. It has no class token.
#pragma once

#include <vector>

#include "layers/frozen_block.h"
#include "vision/spatial_source.h"

namespace crane::vision {

class SamEncoder final : public SpatialSource {
 public:
  // Errors: the E_WEIGHTS_* codes.
  static SamEncoder load(const weights::CanonicalWeights& weights, const TowerConfig& config,
                         at::Device device, layers::PackedWeights* packed = nullptr);

  // Every picture is resized to the side that the position table was made for, so the grid is always the
  // same.
  Grid grid_for(int64_t, int64_t) const override { return {side_, side_}; }
  at::Tensor patch_features(const at::Tensor& image, Trace* trace) const override;

  const TowerConfig& config() const noexcept override { return config_; }
  int64_t width() const override { return reduce_.size(0); }
  int64_t layers() const override { return static_cast<int64_t>(blocks_.size()); }
  int64_t heads() const override { return blocks_.front().plain.heads(); }
  int64_t registers() const override { return 0; }
  int64_t parameters() const noexcept override { return parameters_; }

 private:
  struct WindowBlock {
    layers::FrozenBlock plain;
    int64_t window = 0;  // side of the windows in patches; the grid's side: one window
    at::Tensor rows;     // [window, window, d]: relative position of key row to query row
    at::Tensor columns;  // [window, window, d]
  };

  at::Tensor forward(const WindowBlock& block, const at::Tensor& x) const;

  TowerConfig config_;
  int64_t side_ = 0;         // of the grid, in patches
  at::Tensor patch_weight_;  // [width, 3, patch, patch]
  at::Tensor patch_bias_;    // [width]
  at::Tensor positions_;     // [side, side, width]
  std::vector<WindowBlock> blocks_;
  at::Tensor reduce_;  // [C, width, 1, 1]
  layers::LayerNorm neck_ln1_;
  at::Tensor mix_;  // [C, C, 3, 3]
  layers::LayerNorm neck_ln2_;
  int64_t parameters_ = 0;
};

}  // namespace crane::vision
