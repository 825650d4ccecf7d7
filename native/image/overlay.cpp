#include "image/overlay.h"

#include <array>
#include <cmath>
#include <vector>

#include "core/error.h"
#include "image/heat_colours.h"
#include "image/map.h"
#include "image/resize.h"

namespace crane::image {
namespace {

// Opacity of the hottest level; the structure of the picture still shows through.
constexpr double k_max_opacity = 0.8;

// What a level does to a sample: (sample * kept + added) / 2^16, rounded.
struct Blend {
  uint32_t kept;
  std::array<uint32_t, 3> added;
};

std::array<Blend, 256> blends() {
  std::array<Blend, 256> table;
  for (uint32_t level = 0; level < 256; ++level) {
    const uint32_t opacity = static_cast<uint32_t>(std::lround(k_max_opacity * level / 255.0 * 65536.0));
    table[level].kept = 65536 - opacity;
    for (size_t c = 0; c < 3; ++c) table[level].added[c] = heat_colours()[level][c] * opacity + 32768;
  }
  return table;
}

uint8_t level_of(float value, double low, double high) {
  const double share = (static_cast<double>(value) - low) / (high - low);
  if (!(share > 0.0)) return 0;
  return share < 1.0 ? static_cast<uint8_t>(share * 255.0 + 0.5) : 255;
}

}  // namespace

void overlay_heat(const PictureView& picture, const float* map, int64_t map_width, int64_t map_height,
                  double low, double high, uint8_t* dst) {
  check_picture(picture);
  check_input(std::isfinite(low) && std::isfinite(high) && std::isfinite(high - low) && low < high, "E_USAGE",
              "heat map range: got ", low, " to ", high,
              ", expected two finite numbers, the smaller one first");
  static const std::array<Blend, 256> table = blends();
  resize_to_rgb(picture, picture.width, picture.height, Filter::bilinear, dst);
  MapRows rows(map, map_width, map_height, picture.width, picture.height);
  std::vector<float> values(static_cast<size_t>(picture.width));
  for (int64_t y = 0; y < picture.height; ++y) {
    rows.row(y, values.data());
    for (const float value : values) {
      const Blend& blend = table[level_of(value, low, high)];
      for (size_t c = 0; c < 3; ++c)
        dst[c] = static_cast<uint8_t>((dst[c] * blend.kept + blend.added[c]) >> 16);
      dst += 3;
    }
  }
}

}  // namespace crane::image
