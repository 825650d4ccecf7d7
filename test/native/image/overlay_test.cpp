// Heat maps: order, transparency and colour table.
#include "image/overlay.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "core/error.h"
#include "image/heat_colours.h"
#include "noise.h"

namespace crane::image {
namespace {

double linear(uint8_t sample) {
  const double value = sample / 255.0;
  return value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4);
}

double luminance(const Rgb& colour) {
  return 0.2126 * linear(colour[0]) + 0.7152 * linear(colour[1]) + 0.0722 * linear(colour[2]);
}

std::vector<uint8_t> overlaid(const PictureView& picture, const std::vector<float>& map, double low,
                              double high) {
  std::vector<uint8_t> rgb(static_cast<size_t>(picture.width * picture.height * 3));
  overlay_heat(picture, map.data(), static_cast<int64_t>(map.size()), 1, low, high, rgb.data());
  return rgb;
}

TEST(HeatColours, GrowLighterFromLevelToLevel) {
  for (size_t level = 1; level < 256; ++level) {
    EXPECT_GT(luminance(heat_colours()[level]), luminance(heat_colours()[level - 1])) << "level " << level;
  }
  EXPECT_EQ(heat_colours()[0], (Rgb{17, 1, 59}));
  EXPECT_EQ(heat_colours()[255], (Rgb{254, 249, 178}));
}

TEST(Overlay, LeavesThePictureAloneUpToLow) {
  const NoisePicture picture(Mode::rgb, 20, 9, 3);
  const std::vector<uint8_t> rgb = overlaid(picture.view(), {0.2f}, 0.2, 0.9);
  EXPECT_EQ(rgb, noise_samples<uint8_t>(20 * 9 * 3, 3));
}

TEST(Overlay, CoversFourFifthsAtHigh) {
  const std::vector<uint8_t> grey = {0, 100, 255};
  const std::vector<uint8_t> rgb = overlaid({grey.data(), 3, 1, Mode::l}, {5.0f}, 0.2, 0.9);
  for (size_t i = 0; i < 3; ++i) {
    for (size_t c = 0; c < 3; ++c) {
      EXPECT_EQ(rgb[i * 3 + c], std::lround(0.2 * grey[i] + 0.8 * heat_colours()[255][c]));
    }
  }
}

TEST(Overlay, GrowsLighterWithTheValueOnABlackPicture) {
  const std::vector<uint8_t> black(200, 0);
  std::vector<float> map(200);
  for (size_t i = 0; i < map.size(); ++i) map[i] = static_cast<float>(i) / 199.0f;
  const std::vector<uint8_t> rgb = overlaid({black.data(), 200, 1, Mode::l}, map, 0.0, 1.0);
  for (size_t i = 1; i < map.size(); ++i) {
    const auto at = [&](size_t x) { return luminance({rgb[x * 3], rgb[x * 3 + 1], rgb[x * 3 + 2]}); };
    EXPECT_GE(at(i), at(i - 1)) << i;
  }
}

TEST(Overlay, TakesNanAsLow) {
  const std::vector<uint8_t> grey = {90, 90};
  const PictureView picture{grey.data(), 2, 1, Mode::l};
  EXPECT_EQ(overlaid(picture, {std::nanf(""), std::nanf("")}, 0.0, 1.0), std::vector<uint8_t>(6, 90));
}

TEST(Overlay, RefusesARangeThatIsNone) {
  const std::vector<uint8_t> grey = {90};
  for (const auto& [low, high] : {std::pair{0.5, 0.5}, std::pair{1.0, 0.0}, std::pair{std::nan(""), 1.0}}) {
    EXPECT_THROW(overlaid({grey.data(), 1, 1, Mode::l}, {1.0f}, low, high), Error);
  }
}

}  // namespace
}  // namespace crane::image
