#include "vision/spatial_source.h"

#include "cuda/tensors.h"
#include "vision/sam.h"
#include "vision/tower.h"
#include "weights/structure.h"

namespace crane::vision {
namespace {

at::Tensor channel_constants(const std::array<double, 3>& values, const at::Tensor& like) {
  return cuda::numbers_on(values, at::kFloat, like.device()).view({1, 3, 1, 1});
}

}  // namespace

at::Tensor renormalise(const at::Tensor& image, const TowerConfig& from, const TowerConfig& to) {
  const at::Tensor pixels = image * channel_constants(from.std, image) + channel_constants(from.mean, image);
  return (pixels.clamp(0, 1) - channel_constants(to.mean, image)) / channel_constants(to.std, image);
}

std::unique_ptr<SpatialSource> load_spatial_source(const weights::CanonicalWeights& weights,
                                                   const TowerConfig& config, at::Device device,
                                                   layers::PackedWeights* packed) {
  if (weights::holds_sam(weights)) {
    TowerConfig own = config;
    // Its attention takes float32 rows, and a GPU's 16-bit layers give others.
    if (cuda::has_kernels(device)) own.precision = Precision::float32;
    return std::make_unique<SamEncoder>(SamEncoder::load(weights, own, device, packed));
  }
  weights::check_vision(weights);
  return std::make_unique<Tower>(Tower::load(weights, config, device, packed));
}

}  // namespace crane::vision
