// What is computed for one class.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "metrics/curve.h"
#include "metrics/metric.h"

namespace crane::metrics {

struct EvaluateOptions {
  std::vector<double> limits = {0.05, 0.3};  // of the false-positive rate for AUPRO, each in (0, 1]
  std::optional<double> threshold;           // of the image score: anomalous at or above it
  std::optional<double> map_threshold;       // of the map, likewise
  size_t curve_points = 0;                   // 0: no curves
  size_t histogram_bins = 0;                 // 0: no histograms
};

struct Confusion {
  double threshold;
  uint64_t true_positives;
  uint64_t false_positives;
  uint64_t false_negatives;
  uint64_t true_negatives;
  Metric precision;
  Metric recall;
  Metric f1;
};

// Equal bins from the lowest to the highest finite score; a bin holds its lower edge, the last one both.
// Infinite scores are counted in the first and the last bin. One bin where all scores are equal.
struct Histogram {
  double lowest;
  double highest;
  std::vector<uint64_t> normal;
  std::vector<uint64_t> anomalous;
};

// The figures that pictures and pixels have in common.
struct Ranking {
  uint64_t normal = 0;  // how many entered
  uint64_t anomalous = 0;
  Metric auroc;
  Metric average_precision;
  BestF1 best_f1;
  std::optional<Confusion> confusion;
  std::optional<Histogram> histogram;
  Curve roc;
  Curve precision_recall;
};

struct ProAtLimit {
  double limit;
  Metric exact;      // every distinct score a threshold
  Metric reference;  // 200 thresholds
};

struct PixelResult {
  Ranking ranking;
  uint64_t regions = 0;
  double lowest = 0.0;  // scores of all pixels that entered
  double highest = 0.0;
  std::vector<ProAtLimit> aupro;
  Curve pro;
};

// Things in the ground truth that a user should know about.
struct Remarks {
  uint64_t pictures = 0;
  uint64_t without_score = 0;  // not among the image metrics
  uint64_t without_map = 0;    // not among the pixel metrics
  uint64_t anomalous_without_mask =
      0;  // not among the pixel metrics: nobody knows which pixels are anomalous
  uint64_t anomalous_with_empty_mask = 0;
  uint64_t normal_with_anomalous_pixels = 0;
};

struct ClassResult {
  Remarks remarks;
  Ranking image;
  PixelResult pixel;
};

}  // namespace crane::metrics
