// Regions are the 8-connected areas at or above the threshold.
#include "image/regions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "noise.h"

namespace crane::image {
namespace {

// '.' is 0, a digit d is d / 10.
std::vector<Region> regions_of(const std::vector<std::string>& rows, double threshold) {
  std::vector<float> map;
  for (const std::string& row : rows) {
    for (const char c : row) map.push_back(c == '.' ? 0.0f : static_cast<float>(c - '0') / 10.0f);
  }
  return find_regions(map.data(), static_cast<int64_t>(rows[0].size()), static_cast<int64_t>(rows.size()),
                      threshold);
}

std::string shape(const Region& r) {
  return std::to_string(r.x) + "," + std::to_string(r.y) + " " + std::to_string(r.width) + "x" +
         std::to_string(r.height) + " area " + std::to_string(r.area);
}

TEST(Regions, DiagonalNeighboursAreConnected) {
  const std::vector<Region> regions = regions_of({"5....",  //
                                                  ".5...",  //
                                                  "5.5.5"},
                                                 0.5);
  ASSERT_EQ(regions.size(), 2u);
  EXPECT_EQ(shape(regions[0]), "0,0 3x3 area 4");
  EXPECT_EQ(shape(regions[1]), "4,2 1x1 area 1");
}

TEST(Regions, BranchesThatMeetLaterAreOneRegion) {
  const std::vector<Region> regions = regions_of({"7.6.5.4",  //
                                                  "7.6.5.4",  //
                                                  "7777777"},
                                                 0.3);
  ASSERT_EQ(regions.size(), 1u);
  EXPECT_EQ(shape(regions[0]), "0,0 7x3 area 15");
  EXPECT_FLOAT_EQ(regions[0].peak, 0.7f);
  EXPECT_NEAR(regions[0].mean, (9 * 0.7 + 2 * 0.6 + 2 * 0.5 + 2 * 0.4) / 15, 1e-7);
}

TEST(Regions, SpiralIsOneRegion) {
  const std::vector<Region> regions = regions_of({"555555555",  //
                                                  "........5",  //
                                                  "5555555.5",  //
                                                  "5.....5.5",  //
                                                  "5.555.5.5",  //
                                                  "5.5...5.5",  //
                                                  "5.55555.5",  //
                                                  "5.......5",  //
                                                  "555555555"},
                                                 0.5);
  ASSERT_EQ(regions.size(), 1u);
  EXPECT_EQ(shape(regions[0]), "0,0 9x9 area 49");
}

TEST(Regions, LargestPeakComesFirstThenReadingOrder) {
  const std::vector<Region> regions = regions_of({"..5.5",  //
                                                  "5....",  //
                                                  "..9.."},
                                                 0.4);
  ASSERT_EQ(regions.size(), 4u);
  EXPECT_EQ(shape(regions[0]), "2,2 1x1 area 1");
  EXPECT_EQ(shape(regions[1]), "2,0 1x1 area 1");
  EXPECT_EQ(shape(regions[2]), "4,0 1x1 area 1");
  EXPECT_EQ(shape(regions[3]), "0,1 1x1 area 1");
}

TEST(Regions, ThresholdItselfCountsAndNanNever) {
  const std::vector<float> map = {0.5f, std::nanf(""), 0.25f};
  EXPECT_EQ(find_regions(map.data(), 3, 1, 0.5).size(), 1u);
  EXPECT_EQ(find_regions(map.data(), 3, 1, -1.0).size(), 2u);
  EXPECT_TRUE(find_regions(map.data(), 3, 1, std::nan("")).empty());
  EXPECT_EQ(find_regions(map.data(), 1, 1, 0.5)[0].area, 1);
}

// The plain definition: flood fill.
std::vector<Region> flooded(const std::vector<float>& map, int64_t width, int64_t height, double threshold) {
  std::vector<Region> regions;
  std::vector<bool> seen(map.size(), false);
  for (int64_t start = 0; start < width * height; ++start) {
    if (seen[start] || !(map[start] >= threshold)) continue;
    int64_t left = width, right = -1, top = height, bottom = -1, area = 0;
    float peak = map[start];
    double sum = 0;
    std::vector<int64_t> stack = {start};
    seen[start] = true;
    while (!stack.empty()) {
      const int64_t at = stack.back();
      stack.pop_back();
      const int64_t x = at % width, y = at / width;
      left = std::min(left, x), right = std::max(right, x), top = std::min(top, y),
      bottom = std::max(bottom, y);
      ++area, sum += map[at], peak = std::max(peak, map[at]);
      for (int64_t ny = std::max<int64_t>(y - 1, 0); ny <= std::min(y + 1, height - 1); ++ny) {
        for (int64_t nx = std::max<int64_t>(x - 1, 0); nx <= std::min(x + 1, width - 1); ++nx) {
          const int64_t next = ny * width + nx;
          if (seen[next] || !(map[next] >= threshold)) continue;
          seen[next] = true;
          stack.push_back(next);
        }
      }
    }
    regions.push_back(
        {left, top, right - left + 1, bottom - top + 1, area, peak, sum / static_cast<double>(area)});
  }
  std::stable_sort(regions.begin(), regions.end(),
                   [](const Region& a, const Region& b) { return a.peak > b.peak; });
  return regions;
}

TEST(Regions, EqualAFloodFillOnNoise) {
  for (const double threshold : {0.3, 0.55, 0.6, 0.8}) {
    for (uint64_t seed = 0; seed < 20; ++seed) {
      const int64_t width = 3 + static_cast<int64_t>(seed) * 3;
      const std::vector<float> map = noise_samples<float>(width * 40, seed * 100000);
      const std::vector<Region> got = find_regions(map.data(), width, 40, threshold);
      const std::vector<Region> expected = flooded(map, width, 40, threshold);
      ASSERT_EQ(got.size(), expected.size());
      for (size_t i = 0; i < got.size(); ++i) {
        ASSERT_EQ(shape(got[i]), shape(expected[i]));
        ASSERT_EQ(got[i].peak, expected[i].peak);
        ASSERT_NEAR(got[i].mean, expected[i].mean, 1e-12);
      }
    }
  }
}

}  // namespace
}  // namespace crane::image
