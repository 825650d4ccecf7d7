// A vision transformer read from canonical weights: CLIP's, DINOv2's and their truncations are
// configurations.
#pragma once

#include <string>
#include <vector>

#include "layers/frozen_block.h"
#include "tensors/trace.h"
#include "vision/block_loop.h"
#include "vision/half_patches.h"
#include "vision/spatial_source.h"

namespace crane::vision {

class Tower final : public SpatialSource {
 public:
  // Errors: the E_WEIGHTS_* codes; E_MODEL_CONFIG when `blocks` exceeds what the file has.
  // packed: where packed weights are kept; may be null.
  static Tower load(const weights::CanonicalWeights& weights, const TowerConfig& config, at::Device device,
                    layers::PackedWeights* packed = nullptr);

  // The blocks of such a tower as gradients pass through them. Errors: as load().
  static std::vector<layers::Block> load_plain_blocks(const weights::CanonicalWeights& weights,
                                                      const TowerConfig& config, at::Device device);

  // image [B, 3, H, W] normalised; what is smaller than a patch is cut -> [B, 1 + registers + N, width]:
  // patches, class token, positions, registers, ln_pre.
  at::Tensor embed(const at::Tensor& image) const;

  // embed() and the blocks. Registers, where there are any, are rows 1 to registers().
  Tapped forward(const at::Tensor& image, const Taps& taps, Trace* trace = nullptr,
                 const StageNames& names = {}) const;

  // Tokens after the last block and the final LayerNorm, without class token and registers, [B, N, width].
  at::Tensor patch_features(const at::Tensor& image, Trace* trace) const override;

  // ln_post alone: [..., width].
  at::Tensor normed(const at::Tensor& tokens) const { return ln_post_(tokens); }

  // The projection alone, without ln_post; unchanged where the tower has none.
  at::Tensor to_joint(const at::Tensor& tokens) const;
  // ln_post and, where the tower has one, the projection into the joint space: [..., width] -> [..., D].
  at::Tensor project(const at::Tensor& tokens) const;

  Grid grid_for(int64_t height, int64_t width) const override { return {height / patch(), width / patch()}; }
  Grid grid_of(const at::Tensor& image) const { return grid_for(image.size(2), image.size(3)); }
  // [1 + N, width] for the wanted grid, always from the original table.
  at::Tensor positions_for(Grid grid) const;
  // E_MODEL_CONFIG for a grid that the positions cannot be fitted to.
  void check_grid(Grid grid) const;
  const std::vector<layers::FrozenBlock>& blocks() const noexcept { return blocks_; }
  const TowerConfig& config() const noexcept override { return config_; }
  int64_t patch() const { return patch_weight_.size(2); }
  int64_t width() const override { return patch_weight_.size(0); }
  int64_t layers() const override { return static_cast<int64_t>(blocks_.size()); }
  int64_t heads() const override { return blocks_.front().heads(); }
  int64_t registers() const override { return registers_.defined() ? registers_.size(0) : 0; }
  int64_t joint_width() const { return projection_.defined() ? projection_.size(1) : width(); }
  int64_t parameters() const noexcept override { return parameters_; }

 private:
  int64_t stored_side() const;  // of the position table, in patches

  TowerConfig config_;
  at::Tensor patch_weight_;   // [width, 3, patch, patch]
  at::Tensor patch_bias_;     // [width] or undefined
  HalfPatches half_patches_;  // on a GPU in 16 bits
  at::Tensor cls_;            // [width]
  at::Tensor positions_;      // [1 + side*side, width]
  at::Tensor registers_;      // [r, width] or undefined
  layers::LayerNorm ln_pre_;
  std::vector<layers::FrozenBlock> blocks_;
  layers::LayerNorm ln_post_;
  at::Tensor projection_;  // [width, D] or undefined
  int64_t parameters_ = 0;
};

// Bilinear resize (align_corners false) of patch rows [B, from.count, C] to another grid; unchanged when
// equal.
at::Tensor resize_patches(const at::Tensor& patches, Grid from, Grid to);

}  // namespace crane::vision
