// Rounding to bfloat16 one by one, against libtorch's.
#include "kernels/bfloat16.h"

#include <gtest/gtest.h>

#include <limits>

#include "tensors/torch_headers.h"

namespace crane::kernels {
namespace {

TEST(Bfloat16, RoundsAsLibtorchDoesForEveryHighHalf) {
  for (uint32_t high = 0; high < 0x10000U; ++high) {
    for (const uint32_t low : {0U, 1U, 0x7FFFU, 0x8000U, 0x8001U, 0xFFFFU}) {
      const float x = std::bit_cast<float>(high << 16 | low);
      if (x != x) continue;
      ASSERT_EQ(bfloat16_bits(x), c10::BFloat16(x).x) << std::hex << (high << 16 | low);
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
