// Scores as integers of the same order: sorting, counting and comparing keys is exact and knows no rounding
// mode. -0.0 and 0.0 share a key, denormals and infinities keep their place, NaN has none (callers refuse it
// first).
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace crane::metrics {

using Key = uint32_t;

// The float's bits as a signed integer of the same order.
inline int32_t ordered_bits(float score) {
  const auto bits = std::bit_cast<int32_t>(score);
  const int32_t ordered = bits ^ ((bits >> 31) & 0x7fffffff);
  return ordered + (ordered == -1 ? 1 : 0);  // -1 is -0.0
}

inline Key key_of_bits(int32_t ordered) { return static_cast<uint32_t>(ordered) ^ 0x80000000u; }
inline Key key_of(float score) { return key_of_bits(ordered_bits(score)); }

// The inverse of key_of.
inline float score_of(Key key) {
  const auto ordered = static_cast<int32_t>(key ^ 0x80000000u);
  return std::bit_cast<float>(ordered ^ ((ordered >> 31) & 0x7fffffff));
}

inline bool is_nan(float score) { return (std::bit_cast<uint32_t>(score) & 0x7fffffffu) > 0x7f800000u; }

// Key of the lowest float that is at least `threshold`; a map's score >= threshold is key_of(score) >= this.
inline Key lowest_key_at_least(double threshold) {
  auto score = static_cast<float>(threshold);
  if (static_cast<double>(score) < threshold) {
    score = std::nextafter(score, std::numeric_limits<float>::infinity());
  }
  return key_of(score);
}

}  // namespace crane::metrics
