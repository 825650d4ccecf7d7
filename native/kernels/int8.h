// float32 -> int8 one by one: what the vector kernels' instructions do, and what packs weights.
//
// A row of a layer's inputs becomes whole numbers u from 0 to 255,  x ~ step (u - zero),  with a step and a
// zero of its own; a column of weights whole numbers q from -127 to 127,  w ~ step q. Their products are
// summed exactly: |sum (u - zero) q| < 2^31 for a depth of at most k_most_int8_depth.
//
// Names have internal linkage, since files that are compiled for other instructions include this.
#pragma once

#include <cmath>
#include <cstdint>

namespace crane::kernels {

constexpr int64_t k_most_int8_depth = 65536;

namespace {

struct RowScale {
  float step;     // NaN for a row that holds NaN or infinity: so is everything that it gives
  float inverse;  // of the step; 0: every u is the zero
  int32_t zero;   // which u stands for 0
};

// lowest <= 0 <= highest: of a row's values and 0. What spans less than 1e-30 counts as zero, and what spans
// more than floats reach as infinite.
inline RowScale row_scale(float lowest, float highest, bool is_finite) {
  const float span = highest - lowest;
  if (!is_finite || !(span <= __FLT_MAX__)) return {__builtin_nanf(""), 0, 0};
  if (span < 1e-30F) return {0, 0, 0};
  const float inverse = 255.0F / span;
  return {span / 255.0F, inverse, static_cast<int32_t>(::nearbyintf(-lowest * inverse))};
}

// To the nearest, halves to even.
inline int32_t int8_of_row(float x, const RowScale& scale) {
  if (scale.inverse == 0) return scale.zero;
  const int32_t whole = static_cast<int32_t>(::nearbyintf(x * scale.inverse)) + scale.zero;
  return whole < 0 ? 0 : whole > 255 ? 255 : whole;
}

// The step of a column of weights by the largest of their magnitudes: NaN where one is NaN or infinite.
inline float weight_step(float largest) {
  if (!(largest <= __FLT_MAX__)) return __builtin_nanf("");
  return largest < 1e-30F ? 0.0F : largest / 127.0F;
}

inline int32_t int8_of_weight(float w, float step) {
  if (!(step > 0)) return 0;
  const float whole = ::nearbyintf(w / step);
  return whole < -127 ? -127 : whole > 127 ? 127 : static_cast<int32_t>(whole);
}

}  // namespace
}  // namespace crane::kernels
