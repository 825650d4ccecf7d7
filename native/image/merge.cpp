#include "image/merge.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.h"
#include "image/map.h"

namespace crane::image {
namespace {

// A Hann window: positive within the tile, near 0 at its border, where patches see least around them.
double window(int64_t position, int64_t tile) {
  const double sine =
      std::sin(std::numbers::pi * (static_cast<double>(position) + 0.5) / static_cast<double>(tile));
  return sine * sine;
}

// The distinct starts of the views along one axis, in order.
template <typename Start>
std::vector<int64_t> distinct_starts(const std::vector<View>& views, Start start) {
  std::vector<int64_t> starts;
  starts.reserve(views.size());
  for (const View& view : views) starts.push_back(start(view));
  std::sort(starts.begin(), starts.end());
  starts.erase(std::unique(starts.begin(), starts.end()), starts.end());
  return starts;
}

}  // namespace

MapMerger::AxisWeights MapMerger::axis_weights(std::vector<int64_t> starts, int64_t tile, int64_t size) {
  std::vector<double> shape(static_cast<size_t>(tile));
  for (int64_t i = 0; i < tile; ++i) shape[i] = window(i, tile);
  std::vector<double> sums(static_cast<size_t>(size), 0.0);
  for (const int64_t start : starts) {
    for (int64_t i = 0; i < tile; ++i) sums[start + i] += shape[i];
  }
  AxisWeights axis{.starts = std::move(starts), .weights = {}};
  for (const int64_t start : axis.starts) {
    std::vector<float> weights(static_cast<size_t>(tile));
    for (int64_t i = 0; i < tile; ++i) weights[i] = static_cast<float>(shape[i] / sums[start + i]);
    axis.weights.push_back(std::move(weights));
  }
  return axis;
}

MapMerger::MapMerger(const ViewPlan& plan)
    : plan_(plan), sum_(static_cast<size_t>(plan.scaled_width * plan.scaled_height), 0.0f) {
  if (plan.fit != Fit::tile) return;
  columns_ = axis_weights(distinct_starts(plan.views, [](const View& view) { return view.source.x; }),
                          plan.input_width, plan.scaled_width);
  rows_ = axis_weights(distinct_starts(plan.views, [](const View& view) { return view.source.y; }),
                       plan.input_height, plan.scaled_height);
}

void MapMerger::add(const float* map) {
  CRANE_CHECK_INVARIANT(added_ < plan_.views.size(), "got more maps than the plan has views");
  const View& view = plan_.views[added_++];
  if (plan_.fit == Fit::tile) return add_tile(view, map);
  const Rect& placement = view.placement;
  for (int64_t y = 0; y < placement.height; ++y) {
    std::copy_n(map + (placement.y + y) * plan_.input_width + placement.x, placement.width,
                sum_.data() + y * plan_.scaled_width);
  }
}

void MapMerger::add_tile(const View& view, const float* map) {
  const auto weights_at = [](const AxisWeights& axis, int64_t start) {
    const auto found = std::lower_bound(axis.starts.begin(), axis.starts.end(), start);
    return axis.weights[static_cast<size_t>(found - axis.starts.begin())].data();
  };
  const float* column_weights = weights_at(columns_, view.source.x);
  const float* row_weights = weights_at(rows_, view.source.y);
  for (int64_t y = 0; y < view.source.height; ++y, map += view.source.width) {
    float* dst = sum_.data() + (view.source.y + y) * plan_.scaled_width + view.source.x;
    const float row_weight = row_weights[y];
    for (int64_t x = 0; x < view.source.width; ++x) dst[x] += map[x] * (row_weight * column_weights[x]);
  }
}

std::vector<float> MapMerger::take() {
  CRANE_CHECK_INVARIANT(added_ == plan_.views.size(), "got ", added_, " maps for ", plan_.views.size(),
                        " views");
  std::vector<float> scaled = std::move(sum_);
  if (plan_.scaled_width == plan_.map_width && plan_.scaled_height == plan_.map_height) return scaled;
  std::vector<float> map(static_cast<size_t>(plan_.map_width * plan_.map_height));
  resize_map(scaled.data(), plan_.scaled_width, plan_.scaled_height, plan_.map_width, plan_.map_height,
             map.data());
  return map;
}

}  // namespace crane::image
