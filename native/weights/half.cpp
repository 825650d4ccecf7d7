#include "weights/half.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <iterator>

#if defined(__x86_64__) && defined(__GNUC__)
#define CRANE_HALF_F16C 1
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace crane::weights {

float f16_to_f32(uint16_t bits) noexcept {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000u) << 16;
  const uint32_t exponent = (bits >> 10) & 31u;
  uint32_t mantissa = bits & 0x3ffu;
  if (exponent == 31) {  // infinity, or NaN made quiet
    return std::bit_cast<float>(sign | 0x7f800000u | (mantissa << 13) | (mantissa != 0 ? 0x400000u : 0u));
  }
  if (exponent != 0) return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
  if (mantissa == 0) return std::bit_cast<float>(sign);
  // Subnormal: mantissa * 2^-24, which is a normal f32.
  const int shift = std::countl_zero(mantissa) - 21;  // brings the leading one to bit 10
  mantissa = (mantissa << shift) & 0x3ffu;
  return std::bit_cast<float>(sign | (static_cast<uint32_t>(113 - shift) << 23) | (mantissa << 13));
}

uint16_t f32_to_f16(float value) noexcept {
  const auto bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint16_t>((bits >> 16) & 0x8000u);
  const uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) {
    return static_cast<uint16_t>(sign | 0x7e00u | ((magnitude >> 13) & 0x3ffu));
  }
  if (magnitude >= 0x477ff000u) return sign | 0x7c00u;  // 65520 and above round to infinity
  if (magnitude < 0x33000001u) return sign;             // 2^-25 and below round to zero
  const int exponent = static_cast<int>(magnitude >> 23) - 127;
  const int drop = exponent < -14 ? -1 - exponent : 13;  // bits of the 24-bit significand that are cut
  const uint32_t significand = (magnitude & 0x7fffffu) | 0x800000u;
  uint32_t kept = significand >> drop;
  const uint32_t rest = significand & ((1u << drop) - 1u);
  const uint32_t tie = 1u << (drop - 1);
  kept += static_cast<uint32_t>(rest > tie || (rest == tie && (kept & 1u) != 0));
  // A normal significand carries its leading one into the exponent field, as does a carry out of the
  // rounding.
  if (exponent >= -14) kept += static_cast<uint32_t>(exponent + 14) << 10;
  return static_cast<uint16_t>(sign | kept);
}

float bf16_to_f32(uint16_t bits) noexcept { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

uint16_t f32_to_bf16(float value) noexcept {
  const auto bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<uint16_t>((bits >> 16) | 0x40u);
  return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

namespace {

void widen_ref(const std::byte* src, float* dst, size_t count) noexcept {
  for (size_t i = 0; i < count; ++i) {
    uint16_t bits;
    std::memcpy(&bits, src + 2 * i, sizeof bits);
    dst[i] = f16_to_f32(bits);
  }
}

void narrow_ref(const float* src, std::byte* dst, size_t count) noexcept {
  for (size_t i = 0; i < count; ++i) {
    const uint16_t bits = f32_to_f16(src[i]);
    std::memcpy(dst + 2 * i, &bits, sizeof bits);
  }
}

bool always() noexcept { return true; }

#ifdef CRANE_HALF_F16C
// Not every compiler we build with knows "f16c" by name; AVX by name also asks whether the system saves its
// registers.
bool has_f16c() noexcept {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __builtin_cpu_supports("avx") && __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 &&
         (ecx & bit_F16C) != 0;
}

__attribute__((target("avx,f16c"))) void widen_f16c(const std::byte* src, float* dst, size_t count) noexcept {
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m128i half = _mm_loadu_si128(reinterpret_cast<const __m128i*>(src + 2 * i));
    _mm256_storeu_ps(dst + i, _mm256_cvtph_ps(half));
  }
  widen_ref(src + 2 * i, dst + i, count - i);
}

__attribute__((target("avx,f16c"))) void narrow_f16c(const float* src, std::byte* dst,
                                                     size_t count) noexcept {
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m128i half = _mm256_cvtps_ph(_mm256_loadu_ps(src + i), _MM_FROUND_TO_NEAREST_INT);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(dst + 2 * i), half);
  }
  narrow_ref(src + i, dst + 2 * i, count - i);
}
#endif

constexpr HalfFace k_half_faces[] = {
#ifdef CRANE_HALF_F16C
    {"f16c", has_f16c, widen_f16c, narrow_f16c},
#endif
    {"ref", always, widen_ref, narrow_ref},
};

// Asked once: the question traps on virtual machines.
const HalfFace& best_face() noexcept {
  static const HalfFace& best = *std::find_if(std::begin(k_half_faces), std::end(k_half_faces) - 1,
                                              [](const HalfFace& face) { return face.available(); });
  return best;
}

}  // namespace

std::span<const HalfFace> half_faces() noexcept { return k_half_faces; }

void f16_to_f32(const std::byte* src, float* dst, size_t count) noexcept {
  best_face().widen(src, dst, count);
}

void f32_to_f16(const float* src, std::byte* dst, size_t count) noexcept {
  best_face().narrow(src, dst, count);
}

void bf16_to_f32(const std::byte* src, float* dst, size_t count) noexcept {
  for (size_t i = 0; i < count; ++i) {
    uint16_t bits;
    std::memcpy(&bits, src + 2 * i, sizeof bits);
    dst[i] = bf16_to_f32(bits);
  }
}

}  // namespace crane::weights
