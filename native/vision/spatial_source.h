// What D-Attn asks "which patches belong together?": DINOv2, DINO or SAM's image encoder (method.md 4).
#pragma once

#include <memory>

#include "core/precision.h"
#include "tensors/torch_headers.h"
#include "tensors/trace.h"
#include "vision/config.h"
#include "weights/name_map.h"

namespace crane::layers {
class PackedWeights;
}

namespace crane::vision {

struct Grid {
  int64_t height = 0;
  int64_t width = 0;
  int64_t count() const { return height * width; }
  bool operator==(const Grid&) const = default;
};

class SpatialSource {
 public:
  virtual ~SpatialSource() = default;

  // Patch features of pictures of height x width pixels lie on this grid; a rest smaller than a patch is cut.
  virtual Grid grid_for(int64_t height, int64_t width) const = 0;
  // image [B, 3, H, W] normalised with config()'s constants -> [B, N, C] on grid_for(H, W), row-major.
  virtual at::Tensor patch_features(const at::Tensor& image, Trace* trace) const = 0;

  virtual const TowerConfig& config() const noexcept = 0;
  virtual int64_t width() const = 0;
  virtual int64_t layers() const = 0;
  virtual int64_t heads() const = 0;
  virtual int64_t registers() const = 0;
  virtual int64_t parameters() const noexcept = 0;
};

// Tells by the tensors which of the encoders it is. packed: where packed weights are kept; may be null.
// Errors: E_WEIGHTS_*, E_MODEL_CONFIG.
std::unique_ptr<SpatialSource> load_spatial_source(const weights::CanonicalWeights& weights,
                                                   const TowerConfig& config, at::Device device,
                                                   layers::PackedWeights* packed = nullptr);

// image [B, 3, H, W] normalised with the constants of `from` -> normalised with those of `to`; un-normalised
// values are clamped to [0, 1] on the way.
at::Tensor renormalise(const at::Tensor& image, const TowerConfig& from, const TowerConfig& to);

}  // namespace crane::vision
