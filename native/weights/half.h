// Half precision: IEEE binary16 (f16) and bfloat16, to and from f32.
// Rounding is to nearest, ties to even; overflow gives infinity; a NaN stays a NaN and is made quiet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace crane::weights {

float f16_to_f32(uint16_t bits) noexcept;
uint16_t f32_to_f16(float value) noexcept;
float bf16_to_f32(uint16_t bits) noexcept;
uint16_t f32_to_bf16(float value) noexcept;

// Arrays; the bytes of the half-precision side need no alignment. src and dst may not overlap.
void f16_to_f32(const std::byte* src, float* dst, size_t count) noexcept;
void f32_to_f16(const float* src, std::byte* dst, size_t count) noexcept;
void bf16_to_f32(const std::byte* src, float* dst, size_t count) noexcept;

// The implementations of the f16 array conversions, best first; the last is the definition.
struct HalfFace {
  const char* name;
  bool (*available)() noexcept;
  void (*widen)(const std::byte* src, float* dst, size_t count) noexcept;
  void (*narrow)(const float* src, std::byte* dst, size_t count) noexcept;
};
std::span<const HalfFace> half_faces() noexcept;

}  // namespace crane::weights
