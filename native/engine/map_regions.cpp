#include "engine/map_regions.h"

#include "core/stopwatch.h"
#include "image/map.h"

namespace crane {
namespace {

std::vector<image::Region> regions_of(const ScoreOutcome& outcome, int64_t width, int64_t height,
                                      double threshold) {
  if (outcome.map_width == width && outcome.map_height == height)
    return image::find_regions(outcome.map.data(), width, height, threshold);
  std::vector<float> full(static_cast<size_t>(width * height));
  image::resize_map(outcome.map.data(), outcome.map_width, outcome.map_height, width, height, full.data());
  return image::find_regions(full.data(), width, height, threshold);
}

}  // namespace

void add_regions(std::span<const ScoreItem> items, std::vector<ScoreOutcome>& outcomes) {
  for (size_t i = 0; i < items.size(); ++i) {
    const ScoreItem& item = items[i];
    if (!item.regions_at) continue;
    Stopwatch watch;
    outcomes[i].regions = regions_of(outcomes[i], item.picture.width, item.picture.height, *item.regions_at);
    if (!item.wants_map) outcomes[i].map = {};
    outcomes[i].postprocess_ms += watch.lap_ms();
  }
}

}  // namespace crane
