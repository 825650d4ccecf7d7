#include "weights/half.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

namespace crane::weights {
namespace {

// The definition by arithmetic: (-1)^s * 2^(e-15) * (1 + m/1024), subnormals m * 2^-24.
double value_of_f16(uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const int mantissa = bits & 0x3ff;
  const double sign = (bits & 0x8000) != 0 ? -1.0 : 1.0;
  if (exponent == 31) {
    return mantissa != 0 ? std::numeric_limits<double>::quiet_NaN()
                         : sign * std::numeric_limits<double>::infinity();
  }
  if (exponent == 0) return sign * std::ldexp(mantissa, -24);
  return sign * std::ldexp(1024 + mantissa, exponent - 25);
}

TEST(Half, EveryF16HasTheValueOfItsDefinition) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const double expected = value_of_f16(static_cast<uint16_t>(bits));
    const float got = f16_to_f32(static_cast<uint16_t>(bits));
    if (std::isnan(expected)) {
      ASSERT_TRUE(std::isnan(got)) << bits;
    } else {
      ASSERT_EQ(static_cast<double>(got), expected) << bits;
      ASSERT_EQ(std::signbit(got), (bits & 0x8000) != 0) << bits;
    }
  }
}

TEST(Half, EveryF16SurvivesTheWayToF32AndBack) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    const bool nan = (bits & 0x7c00) == 0x7c00 && (bits & 0x3ff) != 0;
    ASSERT_EQ(f32_to_f16(f16_to_f32(half)), nan ? half | 0x200 : half) << bits;
  }
}

TEST(Half, RoundingIsToNearestAndTiesToEven) {
  for (uint32_t bits = 0; bits < 0x7c00; ++bits) {
    const auto low = static_cast<uint16_t>(bits);
    const auto high = static_cast<uint16_t>(bits + 1);
    // The value after the largest finite one counts as 2^16 for rounding.
    const double above = high == 0x7c00 ? 65536.0 : value_of_f16(high);
    const auto middle = static_cast<float>((value_of_f16(low) + above) / 2);
    const uint16_t even = (low & 1) == 0 ? low : high;
    for (const float sign : {1.0f, -1.0f}) {
      const uint16_t sign_bit = sign < 0 ? 0x8000 : 0;
      ASSERT_EQ(f32_to_f16(sign * middle), even | sign_bit) << bits;
      ASSERT_EQ(f32_to_f16(sign * std::nextafter(middle, 0.0f)), low | sign_bit) << bits;
      ASSERT_EQ(f32_to_f16(sign * std::nextafter(middle, 1e9f)), high | sign_bit) << bits;
    }
  }
}

TEST(Half, EveryFaceEqualsTheReferenceBitForBit) {
  std::vector<uint16_t> halves(65536);
  for (size_t i = 0; i < halves.size(); ++i) halves[i] = static_cast<uint16_t>(i);
  std::vector<float> floats;  // a prime step through all bit patterns of f32
  for (uint64_t bits = 0; bits < (uint64_t{1} << 32); bits += 4099) {
    floats.push_back(std::bit_cast<float>(static_cast<uint32_t>(bits)));
  }
  const HalfFace& reference = half_faces().back();
  ASSERT_STREQ(reference.name, "ref");
  std::vector<float> wide_expected(halves.size());
  reference.widen(reinterpret_cast<const std::byte*>(halves.data()), wide_expected.data(), halves.size());
  std::vector<std::byte> half_expected(2 * floats.size());
  reference.narrow(floats.data(), half_expected.data(), floats.size());
  int compared = 0;
  for (const HalfFace& face : half_faces()) {
    if (!face.available()) continue;
    std::vector<float> wide(halves.size());
    face.widen(reinterpret_cast<const std::byte*>(halves.data()), wide.data(), halves.size());
    EXPECT_EQ(std::memcmp(wide.data(), wide_expected.data(), wide.size() * sizeof(float)), 0) << face.name;
    std::vector<std::byte> half(2 * floats.size());
    face.narrow(floats.data(), half.data(), floats.size());
    EXPECT_EQ(half, half_expected) << face.name;
    // Lengths that are no multiple of the vector width.
    for (size_t count = 0; count < 40; ++count) {
      std::vector<float> part(count + 1, -7.0f);
      face.widen(reinterpret_cast<const std::byte*>(halves.data()) + 2 * 15000, part.data(), count);
      EXPECT_EQ(part[count], -7.0f) << face.name << " wrote beyond " << count;
      for (size_t i = 0; i < count; ++i) ASSERT_EQ(part[i], wide_expected[15000 + i]) << face.name;
    }
    ++compared;
  }
  std::printf("%d of %zu faces compared on 65536 halves and %zu floats\n", compared, half_faces().size(),
              floats.size());
}

TEST(Half, Bf16KeepsTheUpperHalfAndRoundsToEven) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    ASSERT_EQ(std::bit_cast<uint32_t>(bf16_to_f32(half)), bits << 16);
    const bool nan = (bits & 0x7f80) == 0x7f80 && (bits & 0x7f) != 0;
    ASSERT_EQ(f32_to_bf16(bf16_to_f32(half)), nan ? half | 0x40 : half);
  }
  EXPECT_EQ(f32_to_bf16(std::bit_cast<float>(0x3f808000u)), 0x3f80);  // tie to even
  EXPECT_EQ(f32_to_bf16(std::bit_cast<float>(0x3f818000u)), 0x3f82);
  EXPECT_EQ(f32_to_bf16(std::bit_cast<float>(0x3f808001u)), 0x3f81);
}

}  // namespace
}  // namespace crane::weights
