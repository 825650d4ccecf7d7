// Rounding to bfloat16 one by one, against its definition in double precision.
#include "kernels/bfloat16.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace crane::kernels {
namespace {

// The nearer of the two neighbours by their distance; of two as near the one with an even last bit. Behind
// the largest stands 2^128 in the place of infinity.
uint16_t nearest(uint32_t bits) {
  const auto down = static_cast<uint16_t>(bits >> 16);
  const auto up = static_cast<uint16_t>(down + 1);
  const double x = std::bit_cast<float>(bits);
  const double above = (up & 0x7F80U) == 0x7F80U ? std::copysign(0x1p128, x) : bfloat16_value(up);
  const double to_down = std::abs(x - bfloat16_value(down));
  const double to_up = std::abs(above - x);
  if (to_down == to_up) return down % 2 == 0 ? down : up;
  return to_down < to_up ? down : up;
}

TEST(Bfloat16, RoundsToTheNearestHalvesToEvenForEveryHighHalf) {
  for (uint32_t high = 0; high < 0x10000U; ++high) {
    if ((high & 0x7F80U) == 0x7F80U) continue;  // infinite, NaN
    for (const uint32_t low : {0U, 1U, 0x7FFFU, 0x8000U, 0x8001U, 0xFFFFU}) {
      const uint32_t bits = high << 16 | low;
      ASSERT_EQ(bfloat16_bits(std::bit_cast<float>(bits)), nearest(bits)) << std::hex << bits;
    }
  }
}

TEST(Bfloat16, KeepsEveryNanAndMakesNone) {
  for (uint32_t low = 0; low < 0x800000U; low += 0x101U) {
    for (const uint32_t sign : {0U, 0x80000000U}) {
      const float x = std::bit_cast<float>(sign | 0x7F800000U | low);
      const float y = bfloat16_value(bfloat16_bits(x));
      ASSERT_EQ(y != y, x != x) << std::hex << low;
    }
  }
}

TEST(Bfloat16, BecomesInfiniteFromHalfwayBehindTheLargest) {
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(bfloat16_value(bfloat16_bits(std::bit_cast<float>(0x7F7F7FFFU))),
            std::bit_cast<float>(0x7F7F0000U));
  EXPECT_EQ(bfloat16_value(bfloat16_bits(std::bit_cast<float>(0x7F7F8000U))), infinity);
}

TEST(Bfloat16, PairsKeepTheFirstInTheLowHalf) {
  EXPECT_EQ(std::bit_cast<uint32_t>(bfloat16_pair(1.0F, -2.0F)), 0xC0003F80U);
}

}  // namespace
}  // namespace crane::kernels
