// A colour that a cell lacks is the mean of the nearest cells that have it.
#include "image/demosaic.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace crane::image {
namespace {

int64_t mirrored(int64_t at, int64_t side) { return at < 0 ? -at : at >= side ? 2 * side - 2 - at : at; }

// The definition, as slow as it reads: all cells of the 3 x 3 around that have the colour.
uint8_t by_definition(const std::vector<uint8_t>& src, int64_t width, int64_t height,
                      const BayerPattern& pattern, int64_t x, int64_t y, int colour) {
  const auto colour_at = [&](int64_t cx, int64_t cy) {
    return pattern[static_cast<size_t>((cy & 1) * 2 + (cx & 1))];
  };
  if (colour_at(x, y) == colour) return src[static_cast<size_t>(y * width + x)];
  int sum = 0;
  int count = 0;
  for (int64_t dy = -1; dy <= 1; ++dy) {
    for (int64_t dx = -1; dx <= 1; ++dx) {
      const int64_t cx = mirrored(x + dx, width);
      const int64_t cy = mirrored(y + dy, height);
      if (colour_at(cx, cy) != colour) continue;
      sum += src[static_cast<size_t>(cy * width + cx)];
      ++count;
    }
  }
  return static_cast<uint8_t>((sum + count / 2) / count);
}

class Demosaic : public testing::TestWithParam<BayerPattern> {};

TEST_P(Demosaic, IsItsDefinitionAlsoAtTheBorder) {
  const auto sizes = {std::pair<int64_t, int64_t>{2, 2}, {3, 5}, {16, 9}, {33, 40}};
  int compared = 0;
  for (const auto& [width, height] : sizes) {
    std::vector<uint8_t> src(static_cast<size_t>(width * height));
    for (size_t i = 0; i < src.size(); ++i) src[i] = static_cast<uint8_t>((i * 2654435761u) >> 13);
    std::vector<uint8_t> rgb(src.size() * 3);
    demosaic(src.data(), width, height, GetParam(), rgb.data());
    for (int64_t y = 0; y < height; ++y) {
      for (int64_t x = 0; x < width; ++x) {
        for (int c = 0; c < 3; ++c, ++compared) {
          ASSERT_EQ(rgb[static_cast<size_t>((y * width + x) * 3 + c)],
                    by_definition(src, width, height, GetParam(), x, y, c))
              << width << "x" << height << " at " << x << "," << y << " colour " << c;
        }
      }
    }
  }
  EXPECT_EQ(compared, 3 * (4 + 15 + 144 + 1320));
}

INSTANTIATE_TEST_SUITE_P(Patterns, Demosaic,
                         testing::Values(BayerPattern{0, 1, 1, 2}, BayerPattern{2, 1, 1, 0},
                                         BayerPattern{1, 0, 2, 1}, BayerPattern{1, 2, 0, 1}));

TEST(BayerPatterns, OthersAreNone) {
  EXPECT_TRUE(is_bayer({0, 1, 1, 2}));
  EXPECT_FALSE(is_bayer({0, 1, 2, 1}));
  EXPECT_FALSE(is_bayer({1, 1, 1, 1}));
  EXPECT_FALSE(is_bayer({0, 1, 1, 0}));
  EXPECT_FALSE(is_bayer({3, 1, 1, 2}));
}

}  // namespace
}  // namespace crane::image
