// What a bootstrap needs besides its data.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

namespace crane::metrics {

struct BootstrapSettings {
  int64_t resamples = 0;
  uint64_t seed = 0;    // below 2^53
  double level = 0.95;  // share of the draws inside the interval

  double low() const { return (1 - level) / 2; }
  double high() const { return (1 + level) / 2; }
};

// Between neighbours it is linear. sorted: rising, not empty; share from 0 to 1.
inline double quantile(std::span<const double> sorted, double share) {
  const double at = share * static_cast<double>(sorted.size() - 1);
  const double low = sorted[static_cast<size_t>(std::floor(at))];
  return low + (at - std::floor(at)) * (sorted[static_cast<size_t>(std::ceil(at))] - low);
}

}  // namespace crane::metrics
