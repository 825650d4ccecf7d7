// AUPRO in the reference's convention: 200 thresholds between the lowest and the highest score.
#pragma once

#include <vector>

#include "metrics/marks.h"
#include "metrics/metric.h"

namespace crane::metrics {

// Each threshold as the key from which on scores lie strictly above it (parity README, last point: thresholds
// are made in double as numpy.arange does and rounded to float32). Ascending thresholds. Needs lowest <
// highest, both finite.
std::vector<Key> reference_thresholds(float lowest, float highest);

// counts: scores above each threshold; total: all pixels. Undefined where the reference raises or gives NaN.
Metric reference_aupro(const std::vector<Counts>& counts, const Counts& total, uint64_t regions,
                       double limit);

}  // namespace crane::metrics
