// Area under the per-region overlap curve up to one limit of the false-positive rate: every distinct score is
// a threshold, the curve starts at (0, 0), is linear between thresholds and cut at the limit (parity README,
// "exact").
#pragma once

#include <cstdint>

#include "metrics/compensated_sum.h"
#include "metrics/counts.h"

namespace crane::metrics {

class ProIntegral {
 public:
  // limit: share of the normal pixels, in (0, 1].
  ProIntegral(double limit, uint64_t normals_in_all) : end_(limit * static_cast<double>(normals_in_all)) {}

  // The curve goes on by here.normal false positives, while the overlap rises by here.overlap.
  void segment(const Counts& at, const Counts& here) {
    if (here.normal == 0) return;
    const auto begin = static_cast<double>(at.normal);
    if (begin >= end_) return;
    const auto length = static_cast<double>(here.normal);
    const double used = begin + length <= end_ ? length : end_ - begin;
    const double low = regions_covered(at.overlap);
    const double rise = here.overlap == 0 ? 0.0 : regions_covered(here.overlap) * (used / length);
    area_.add(used * (low + 0.5 * rise));
  }

  void absorb(const ProIntegral& next) { area_.add(next.area_); }

  // Divided by the limit, so that a perfect curve has 1.
  double value(uint64_t regions) const { return area_.value() / (end_ * static_cast<double>(regions)); }

 private:
  double end_;  // false positives at the limit, with fractions
  CompensatedSum area_;
};

}  // namespace crane::metrics
