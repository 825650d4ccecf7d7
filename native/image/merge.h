// From the maps of the views to one map that covers exactly the picture.
#pragma once

#include <cstdint>
#include <vector>

#include "image/fit.h"

namespace crane::image {

// Takes the views' maps in the order of the plan and adds them up at once, so that no more than one view's
// map needs to be in memory. The order is part of the result: the same plan and maps give the same bits.
//
// Tiles are blended with weights that fall smoothly to nothing at a tile's border and sum to 1 everywhere.
class MapMerger {
 public:
  // Copies what it needs of the plan.
  explicit MapMerger(const ViewPlan& plan);

  // map: [input_height, input_width], of view number 0, 1, ... in turn.
  void add(const float* map);

  // The merged map, [plan.map_height, plan.map_width], once every view was added; leaves nothing behind.
  std::vector<float> take();

 private:
  // Weights along one axis, by the tile's start: pixel p of tile t weighs weights[t][p].
  struct AxisWeights {
    std::vector<int64_t> starts;
    std::vector<std::vector<float>> weights;
  };
  static AxisWeights axis_weights(std::vector<int64_t> starts, int64_t tile, int64_t size);

  void add_tile(const View& view, const float* map);

  ViewPlan plan_;
  AxisWeights columns_;
  AxisWeights rows_;
  size_t added_ = 0;
  std::vector<float> sum_;  // [scaled_height, scaled_width]
};

}  // namespace crane::image
