// Maps are resized as ATen resizes them and blurred as scipy blurs them (method.md 6).
#include "image/map.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "core/error.h"
#include "noise.h"

namespace crane::image {
namespace {

std::vector<float> resized(const std::vector<float>& map, int64_t map_width, int64_t width, int64_t height) {
  std::vector<float> out(static_cast<size_t>(width * height));
  resize_map(map.data(), map_width, static_cast<int64_t>(map.size()) / map_width, width, height, out.data());
  return out;
}

std::vector<float> blurred(const std::vector<float>& map, int64_t width, double sigma) {
  std::vector<float> out(map.size());
  gaussian_blur(map.data(), width, static_cast<int64_t>(map.size()) / width, sigma, out.data());
  return out;
}

TEST(ResizeMap, EqualsATenBitForBit) {
  const std::vector<float> map = noise_samples<float>(45 * 70, 78);
  EXPECT_EQ(fingerprint(resized(map, 70, 333, 200)), 0x5f25ead23331ab28ull);
  EXPECT_EQ(fingerprint(resized(map, 70, 131, 31)), 0x548bc82672ac480aull);
  EXPECT_EQ(fingerprint(resized(map, 70, 140, 20)), 0x4905275480314ee3ull);
  EXPECT_EQ(resized(map, 70, 70, 45), map);
}

TEST(ResizeMap, InterpolatesBetweenPixelCentres) {
  // Centres of 4 outputs over 2 inputs lie at -1/4, 1/4, 3/4, 5/4.
  EXPECT_EQ(resized({0.0f, 8.0f}, 2, 4, 1), (std::vector<float>{0.0f, 2.0f, 6.0f, 8.0f}));
  EXPECT_EQ(resized({0.0f, 8.0f}, 1, 1, 4), (std::vector<float>{0.0f, 2.0f, 6.0f, 8.0f}));
  EXPECT_EQ(resized({3.0f}, 1, 3, 2), std::vector<float>(6, 3.0f));
}

TEST(ResizeMap, RowsCanBeAskedForInAnyOrder) {
  const std::vector<float> map = noise_samples<float>(9 * 7, 3);
  const std::vector<float> whole = resized(map, 9, 30, 40);
  MapRows rows(map.data(), 9, 7, 30, 40);
  std::vector<float> row(30);
  for (const int64_t y : {39, 0, 20, 19, 5, 5, 38}) {
    rows.row(y, row.data());
    EXPECT_TRUE(std::equal(row.begin(), row.end(), whole.begin() + y * 30)) << "row " << y;
  }
}

// The weights' last bit depends on exp of the C library; the test below this one holds with any.
#if defined(__GLIBC__)
TEST(GaussianBlur, EqualsScipyBitForBit) {
  const std::vector<float> map = noise_samples<float>(45 * 70, 78);
  EXPECT_EQ(fingerprint(blurred(map, 70, 4.0)), 0xb9f4379d1fddd61aull);
  EXPECT_EQ(fingerprint(blurred(map, 70, 0.3)), 0x93ea148cc130cbfeull);
  EXPECT_EQ(fingerprint(blurred(map, 70, 11.5)),
            0x4a61f524e01123dcull);  // radius 46 > height 45: reflected twice
  EXPECT_EQ(fingerprint(blurred(map, 70, 1.0)), 0x731dcf508afa78c6ull);
}
#endif

TEST(GaussianBlur, EqualsScipyOnASmallMap) {
  const std::vector<float> expected = {0x1.a4c8dcp-2f, 0x1.07ba64p-1f, 0x1.168bfcp-1f, 0x1.e8d3cep-2f,
                                       0x1.b5a230p-2f, 0x1.e4ae0ep-2f, 0x1.f7df54p-2f, 0x1.d61f3ap-2f,
                                       0x1.b4621ap-2f, 0x1.e5c518p-2f, 0x1.0a9152p-1f, 0x1.0782e4p-1f};
  const std::vector<float> got = blurred(noise_samples<float>(12, 77), 4, 1.0);
  for (size_t i = 0; i < expected.size(); ++i)
    EXPECT_NEAR(got[i], expected[i], 6e-8f) << i;  // one unit in the last place
}

TEST(GaussianBlur, CopiesForSigmaZero) {
  const std::vector<float> map = noise_samples<float>(30, 4);
  EXPECT_EQ(blurred(map, 5, 0.0), map);
  EXPECT_EQ(blurred(map, 5, 0.1), map);  // radius 0: one weight of 1
}

TEST(GaussianBlur, KeepsAConstantAndTheSum) {
  const std::vector<float> constant(40 * 25, 0.625f);
  for (const float value : blurred(constant, 40, 6.0)) EXPECT_NEAR(value, 0.625f, 1e-7f);
  // The mirrored borders lose nothing: the mean stays.
  std::vector<float> spike(40 * 25, 0.0f);
  spike[0] = 1.0f;
  double sum = 0;
  for (const float value : blurred(spike, 40, 3.0)) sum += value;
  EXPECT_NEAR(sum, 1.0, 1e-5);
}

TEST(GaussianWeights, SumToOneAndEndAtFourSigma) {
  EXPECT_EQ(gaussian_weights(0.0), std::vector<double>{1.0});
  for (const auto& [sigma, radius] : {std::pair{0.3, 1}, std::pair{4.0, 16}, std::pair{100.0, 400}}) {
    const std::vector<double> weights = gaussian_weights(sigma);
    ASSERT_EQ(weights.size(), static_cast<size_t>(radius) + 1);
    double sum = weights[0];
    for (size_t i = 1; i < weights.size(); ++i) sum += 2 * weights[i];
    EXPECT_NEAR(sum, 1.0, 1e-14);
    EXPECT_NEAR(weights[1] / weights[0], std::exp(-0.5 / (sigma * sigma)), 1e-14);
  }
}

TEST(GaussianBlur, RefusesASigmaThatIsNone) {
  const float map[1] = {0};
  float out[1];
  for (const double sigma : {-1.0, std::nan(""), std::numeric_limits<double>::infinity(), 1e9}) {
    try {
      gaussian_blur(map, 1, 1, sigma, out);
      ADD_FAILURE() << "sigma " << sigma;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), "E_USAGE");
    }
  }
}

}  // namespace
}  // namespace crane::image
