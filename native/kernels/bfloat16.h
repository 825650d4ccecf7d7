// float32 -> bfloat16 one by one: what the vector kernels' instructions do, and what packs weights.
#pragma once

#include <bit>
#include <cstdint>

namespace crane::kernels {

// To the nearest, halves to even. NaN stays NaN (quiet); what lies behind the largest bfloat16 becomes
// infinite.
constexpr uint16_t bfloat16_bits(float x) {
  const uint32_t bits = std::bit_cast<uint32_t>(x);
  if ((bits & 0x7FFFFFFFU) > 0x7F800000U) return static_cast<uint16_t>(bits >> 16 | 0x0040U);
  return static_cast<uint16_t>((bits + 0x7FFFU + (bits >> 16 & 1U)) >> 16);
}

constexpr float bfloat16_value(uint16_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

// Two in the four bytes of a float, the first in the low half.
constexpr float bfloat16_pair(float first, float second) {
  return std::bit_cast<float>(static_cast<uint32_t>(bfloat16_bits(second)) << 16 | bfloat16_bits(first));
}

}  // namespace crane::kernels
