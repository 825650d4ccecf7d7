// The one colour map of heat maps: from dark violet over red and orange to pale yellow.
//
// Lightness grows in equal steps (OKLab 0.18 to 0.97), so that order reads the same in grey print and with
// the common kinds of colour blindness; the hue only helps.
#pragma once

#include <array>
#include <cstdint>

namespace crane::image {

using Rgb = std::array<uint8_t, 3>;

// [256], level 0 the coldest.
const std::array<Rgb, 256>& heat_colours();

}  // namespace crane::image
