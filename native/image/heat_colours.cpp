#include "image/heat_colours.h"

#include <algorithm>
#include <cstddef>

namespace crane::image {
namespace {

// Eleven equal steps of OKLab lightness at the hues -75, -62, -48, -32, -12, 10, 33, 52, 72, 92 and 105
// degrees, each with 96 % of the chroma that sRGB can show there (the last with 0.09).
constexpr std::array<Rgb, 11> k_control_points = {{
    {17, 1, 59},
    {46, 3, 90},
    {82, 6, 114},
    {124, 11, 125},
    {171, 16, 118},
    {218, 23, 90},
    {251, 68, 31},
    {252, 131, 37},
    {253, 176, 65},
    {254, 216, 93},
    {254, 249, 178},
}};

std::array<Rgb, 256> interpolated() {
  std::array<Rgb, 256> colours;
  constexpr size_t k_steps = k_control_points.size() - 1;
  for (size_t level = 0; level < colours.size(); ++level) {
    // Whole numbers: level * steps = step * 255 + rest.
    const size_t step = std::min(level * k_steps / 255, k_steps - 1);
    const size_t rest = level * k_steps - step * 255;
    for (size_t c = 0; c < 3; ++c) {
      const size_t mixed = k_control_points[step][c] * (255 - rest) + k_control_points[step + 1][c] * rest;
      colours[level][c] = static_cast<uint8_t>((mixed + 127) / 255);
    }
  }
  return colours;
}

}  // namespace

const std::array<Rgb, 256>& heat_colours() {
  static const std::array<Rgb, 256> colours = interpolated();
  return colours;
}

}  // namespace crane::image
