// The anomalous pixels of one bucket, sorted by score and gathered where scores are equal.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "metrics/counts.h"

namespace crane::metrics {

// Lower half of the key above, region below: sorting by the upper 32 bits sorts by score.
using AnomalousPixel = uint64_t;
inline AnomalousPixel anomalous_pixel(uint16_t low, uint32_t region) {
  return (static_cast<uint64_t>(low) << 32) | region;
}

struct AnomalousScore {
  uint32_t low;
  uint64_t pixels;
  Overlap overlap;
};

// Ascending by `low`, each once. weights: overlap of one pixel of each region. Reorders `pixels`; `scratch`
// is reused.
void gather_scores(std::span<AnomalousPixel> pixels, std::span<const Overlap> weights,
                   std::vector<AnomalousPixel>& scratch, std::vector<AnomalousScore>& result);

// Both ascending; equal scores are added up.
std::vector<AnomalousScore> merge_scores(std::span<const AnomalousScore> a,
                                         std::span<const AnomalousScore> b);

}  // namespace crane::metrics
