// Confusion and histograms from counts at thresholds, the same for pictures and pixels.
#pragma once

#include <functional>

#include "metrics/counts.h"
#include "metrics/result.h"

namespace crane::metrics {

// Counts of what scores at least `threshold`.
using CountsAtLeast = std::function<Counts(double threshold)>;

Confusion confusion_at(double threshold, const Counts& positive, const Counts& total);

// Lower edges of the bins but the first, ascending; empty where all finite scores are equal.
std::vector<double> inner_edges(double lowest, double highest, size_t bins);
Histogram histogram_of(double lowest, double highest, size_t bins, const Counts& total,
                       const CountsAtLeast& at_least);

}  // namespace crane::metrics
