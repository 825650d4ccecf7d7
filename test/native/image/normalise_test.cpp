// The tensor equals the reference's ToTensor and Normalize bit for bit (method.md 2).
#include "image/normalise.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "core/error.h"
#include "noise.h"

namespace crane::image {
namespace {

constexpr Normalisation k_openai{{.48145466f, .4578275f, .40821073f}, {.26862954f, .26130258f, .27577711f}};

TEST(Normalise, EqualsTheReferenceOnEveryByte) {
  std::vector<uint8_t> rgb;
  for (int value = 0; value < 256; ++value) rgb.insert(rgb.end(), 3, static_cast<uint8_t>(value));
  std::vector<float> tensor(3 * 256);
  normalise(rgb.data(), 256, 1, k_openai, tensor.data());
  // Fingerprints of the 256 float32 values torch gives for each channel.
  const auto channel = [&](int c) {
    return std::vector<float>(tensor.begin() + c * 256, tensor.begin() + (c + 1) * 256);
  };
  EXPECT_EQ(fingerprint(channel(0)), 0xacc98df6cb0df581ull);
  EXPECT_EQ(fingerprint(channel(1)), 0x874c3b0b9410a1e3ull);
  EXPECT_EQ(fingerprint(channel(2)), 0x49357926b4fea02bull);
  EXPECT_EQ(channel(0)[7], -0x1.b0a8a8p+0f);
}

TEST(Normalise, PutsChannelsIntoPlanes) {
  const std::vector<uint8_t> rgb = {0, 51, 102, 153, 204, 255};
  const Normalisation plain{{0, 0, 0}, {1, 1, 1}};
  std::vector<float> tensor(6);
  normalise(rgb.data(), 1, 2, plain, tensor.data());
  EXPECT_EQ(tensor, (std::vector<float>{0.0f, 153 / 255.0f, 51 / 255.0f, 204 / 255.0f, 102 / 255.0f, 1.0f}));
}

TEST(Normalise, RefusesConstantsThatGiveNoNumbers) {
  const uint8_t rgb[3] = {1, 2, 3};
  float tensor[3];
  for (const float std : {0.0f, -1.0f, std::numeric_limits<float>::quiet_NaN()}) {
    Normalisation constants = k_openai;
    constants.std[1] = std;
    EXPECT_THROW(normalise(rgb, 1, 1, constants, tensor), Error);
  }
}

TEST(Normalise, MeanColourComesOutNearZero) {
  const std::array<uint8_t, 3> colour = mean_colour(k_openai);
  EXPECT_EQ(colour, (std::array<uint8_t, 3>{123, 117, 104}));
  float tensor[3];
  normalise(colour.data(), 1, 1, k_openai, tensor);
  for (const float value : tensor) EXPECT_NEAR(value, 0.0f, 0.5f / 255 / 0.26f);
}

}  // namespace
}  // namespace crane::image
