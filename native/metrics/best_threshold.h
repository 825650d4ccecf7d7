// The threshold of best F1 from labelled counts, and how sure it is: by a bootstrap that draws pictures of
// each label with replacement. Scores of pictures and values of pixels are treated alike: both become levels,
// from the highest, with the number of anomalous and normal ones at each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "metrics/resampling.h"

namespace crane::metrics {

// One picture's share in the counts: how many values it has at which level.
struct PictureLevels {
  bool is_anomalous = false;
  std::vector<uint32_t> level;  // rising
  std::vector<uint32_t> anomalous;
  std::vector<uint32_t> normal;
};

struct BestThreshold {
  double threshold = 0;
  double f1 = 0;
  double precision = 0;
  double recall = 0;
  // Of the threshold over the draws.
  double low = 0;
  double high = 0;
  // Mean F1, each draw's threshold on the pictures that it left out; none where no draw left an anomalous
  // one.
  std::optional<double> f1_unseen;
};

// thresholds: to choose from, falling; everything at or above thresholds[i] is called anomalous at level i.
// stream: independent numbers for each name. None without an anomalous value.
std::optional<BestThreshold> best_threshold(std::span<const double> thresholds,
                                            std::span<const PictureLevels> pictures,
                                            const BootstrapSettings& resampling, std::string_view stream);

struct LevelledPictures {
  std::vector<double> thresholds;
  std::vector<PictureLevels> pictures;
};

// A threshold stands halfway between a score and the next lower one, so that a score that another machine
// rounds otherwise stays on its side.
LevelledPictures levels_of_scores(std::span<const double> scores, std::span<const uint8_t> is_anomalous);

// Lowest and highest value that maps may have.
struct MapRange {
  double low = 0;
  double high = 1;
};

// Thresholds of maps are the range in equal steps, the highest first: of [0, 1] (levels - 1)/levels down
// to 0.
std::vector<double> map_thresholds(size_t levels, MapRange range = {});

// mask: as long as the map, 0 is normal; empty: all pixels are. NaN counts nowhere.
PictureLevels levels_of_map(std::span<const float> map, std::span<const uint8_t> mask, bool is_anomalous,
                            size_t levels, MapRange range = {});

}  // namespace crane::metrics
