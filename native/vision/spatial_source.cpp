#include "vision/spatial_source.h"

#include "vision/sam.h"
#include "vision/tower.h"
#include "weights/structure.h"

namespace crane::vision {

std::unique_ptr<SpatialSource> load_spatial_source(const weights::CanonicalWeights& weights,
                                                   const TowerConfig& config, at::Device device,
                                                   Precision precision) {
  // Only SAM's positions lie on a grid of their own axes.
  if (weights.find("visual.pos_grid") != nullptr) {
    return std::make_unique<SamEncoder>(SamEncoder::load(weights, config, device));
  }
  weights::check_vision(weights);
  return std::make_unique<Tower>(Tower::load(weights, config, device, precision));
}

}  // namespace crane::vision
