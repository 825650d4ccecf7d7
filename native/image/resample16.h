// The two passes of the 16-bit resampling: sums in double, in the order of the taps, so that all builds
// agree. Private to resample.cpp.
#pragma once

#include <cstdint>
#include <vector>

#include "image/taps.h"

namespace crane::image {

// Rows the horizontal pass takes at once: their sums run side by side, each in its own order.
inline constexpr int64_t k_rows_16 = 8;

// As ResampleFace::horizontal and vertical, with one channel. rows <= k_rows_16.
void horizontal_16(const DoubleTaps& taps, int64_t origin, const uint16_t* const* src, int64_t rows,
                   uint16_t* const* dst, std::vector<double>& scratch);
void vertical_16(const DoubleTaps& taps, int64_t output, const uint16_t* const* src, int64_t length,
                 uint16_t* dst);

}  // namespace crane::image
