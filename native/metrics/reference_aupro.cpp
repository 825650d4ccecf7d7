#include "metrics/reference_aupro.h"

#include <cmath>

#include "metrics/compensated_sum.h"

namespace crane::metrics {

std::vector<Key> reference_thresholds(float lowest, float highest) {
  constexpr double k_steps = 200.0;
  const double begin = lowest;
  const double end = highest;
  const double delta = (end - begin) / k_steps;
  const auto count = static_cast<size_t>(std::ceil((end - begin) / delta));
  const double step = (begin + delta) - begin;
  std::vector<Key> keys(count);
  for (size_t i = 0; i < count; ++i) {
    keys[i] = key_of(static_cast<float>(begin + static_cast<double>(i) * step)) + 1;
  }
  return keys;
}

Metric reference_aupro(const std::vector<Counts>& counts, const Counts& total, uint64_t regions,
                       double limit) {
  std::vector<double> rates;
  std::vector<double> overlaps;
  for (const Counts& above : counts) {
    const double rate = static_cast<double>(above.normal) / static_cast<double>(total.normal);
    if (rate >= limit) continue;
    rates.push_back(rate);
    overlaps.push_back(regions_covered(above.overlap) / static_cast<double>(regions));
  }
  if (rates.size() < 2) return Metric::missing(undefined::k_few_points);
  // Thresholds ascend, so rates fall.
  const double lowest = rates.back();
  const double range = rates.front() - lowest;
  if (range == 0.0) return Metric::missing(undefined::k_equal_rates);
  CompensatedSum area;
  for (size_t i = 1; i < rates.size(); ++i) {
    const double width = (rates[i - 1] - lowest) / range - (rates[i] - lowest) / range;
    area.add(width * 0.5 * (overlaps[i - 1] + overlaps[i]));
  }
  return Metric::of(area.value());
}

}  // namespace crane::metrics
