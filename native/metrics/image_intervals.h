// Percentile bootstrap of the image figures: pictures of a class are drawn with replacement, as many as there
// are, and the figures are computed anew, exactly. The scores are sorted once; a draw is only a count for
// each picture. Pixel figures have no intervals: a draw would need the maps of all its pictures again.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "metrics/resampling.h"

namespace crane::metrics {

struct ScoredClass {
  std::string stream;  // independent numbers for each name
  std::vector<double> scores;
  std::vector<uint8_t> is_anomalous;  // as many
};

struct Interval {
  double low = 0;
  double high = 0;
  int64_t resamples = 0;  // draws that have the figure
};

// None where fewer than two draws hold both labels.
struct ImageIntervals {
  std::optional<Interval> auroc;
  std::optional<Interval> average_precision;
  std::optional<Interval> f1_max;
};

struct SetIntervals {
  std::vector<ImageIntervals> classes;
  // Of the mean over the classes: draw i of the mean is the mean of the classes' draws i, where all have one.
  ImageIntervals mean;
};

SetIntervals image_intervals(std::span<const ScoredClass> classes, const BootstrapSettings& resampling);

}  // namespace crane::metrics
