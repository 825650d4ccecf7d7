#include "engine/map_results.h"

#include <algorithm>

#include "core/stopwatch.h"
#include "image/map.h"
#include "image/overlay.h"

namespace crane {
namespace {

bool has_pictures_size(const ScoreItem& item, const ScoreOutcome& outcome) {
  return outcome.map_width == item.picture.width && outcome.map_height == item.picture.height;
}

void resize_to_picture(const ScoreItem& item, const ScoreOutcome& outcome, float* dst) {
  image::resize_map(outcome.map.data(), outcome.map_width, outcome.map_height, item.picture.width,
                    item.picture.height, dst);
}

std::vector<image::Region> regions_of(const ScoreItem& item, const ScoreOutcome& outcome,
                                      const MapTargets& targets) {
  const auto [width, height] = std::pair(item.picture.width, item.picture.height);
  const double threshold = *item.regions_at;
  if (has_pictures_size(item, outcome)) {
    return image::find_regions(outcome.map.data(), width, height, threshold);
  }
  if (targets.map != nullptr && item.map_in_picture_size) {
    return image::find_regions(targets.map, width, height, threshold);
  }
  std::vector<float> full(static_cast<size_t>(width * height));
  resize_to_picture(item, outcome, full.data());
  return image::find_regions(full.data(), width, height, threshold);
}

}  // namespace

std::pair<int64_t, int64_t> map_size(const ScoreItem& item, const ScoreOutcome& outcome) {
  if (item.map_in_picture_size) return {item.picture.width, item.picture.height};
  return {outcome.map_width, outcome.map_height};
}

void finish_map(const ScoreItem& item, ScoreOutcome& outcome, const MapTargets& targets) {
  if (outcome.map.empty()) return;
  Stopwatch watch;
  if (targets.heat != nullptr) {
    image::overlay_heat(item.picture, outcome.map.data(), outcome.map_width, outcome.map_height,
                        item.heat->low, item.heat->high, targets.heat);
  }
  if (targets.map != nullptr) {
    if (item.map_in_picture_size && !has_pictures_size(item, outcome)) {
      resize_to_picture(item, outcome, targets.map);
    } else {
      std::copy(outcome.map.begin(), outcome.map.end(), targets.map);
    }
  }
  if (item.regions_at) outcome.regions = regions_of(item, outcome, targets);
  outcome.map = {};
  outcome.postprocess_ms += watch.lap_ms();
}

}  // namespace crane
