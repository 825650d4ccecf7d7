// What lies at or above a score: the state of every curve of one class.
#pragma once

#include <cstdint>

namespace crane::metrics {

__extension__ using Wide = unsigned __int128;  // products and sums of counts without overflow

// Overlap summed over regions in units of 2^-96: a pixel of a region with `area` pixels adds 1/area.
// Integers, because their sum does not depend on the order in which pictures arrive.
using Overlap = Wide;
constexpr int k_overlap_bits = 96;

inline Overlap overlap_of_pixel(uint64_t area) { return (Overlap{1} << k_overlap_bits) / area; }

inline double to_double(Wide value) {
  return static_cast<double>(static_cast<uint64_t>(value >> 64)) * 0x1p64 +
         static_cast<double>(static_cast<uint64_t>(value));
}

// Number of regions, with fractions, that `overlap` covers.
inline double regions_covered(Overlap overlap) { return to_double(overlap) * 0x1p-96; }

struct Counts {
  uint64_t anomalous = 0;
  uint64_t normal = 0;
  Overlap overlap = 0;

  Counts& operator+=(const Counts& other) {
    anomalous += other.anomalous;
    normal += other.normal;
    overlap += other.overlap;
    return *this;
  }
};

}  // namespace crane::metrics
