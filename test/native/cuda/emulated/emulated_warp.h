// What cuda/warp_mma.cuh offers, on the CPU, by the layouts of the PTX ISA.
#pragma once

#include <bit>

#include "cuda_runtime.h"

namespace crane::cuda {

inline float float_of(Bf16, uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }
inline float float_of(Fp16, uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const int mantissa = bits & 1023;
  const float sign = (bits & 0x8000) != 0 ? -1.0F : 1.0F;
  if (exponent == 31) return mantissa != 0 ? std::nanf("") : sign * INFINITY;
  return sign * (exponent == 0 ? std::ldexp(static_cast<float>(mantissa), -24)
                               : std::ldexp(static_cast<float>(mantissa + 1024), exponent - 25));
}

inline uint16_t bits_of(Bf16, float x) {
  const auto bits = std::bit_cast<uint32_t>(x);
  if (std::isnan(x)) return 0x7fff;
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
inline uint16_t bits_of(Fp16, float x) {
  const auto sign = static_cast<uint16_t>(std::signbit(x) ? 0x8000 : 0);
  const float size = std::fabs(x);
  if (std::isnan(x)) return 0x7fff;
  if (size >= 65520.0F) return sign | 0x7c00;
  if (size < 6.103515625e-05F) return sign | static_cast<uint16_t>(std::nearbyint(std::ldexp(size, 24)));
  int exponent = 0;
  const float part = std::frexp(size, &exponent);  // [0.5, 1)
  const auto mantissa = static_cast<uint32_t>(std::nearbyint(std::ldexp(part, 11)));
  return sign | static_cast<uint16_t>((static_cast<uint32_t>(exponent + 13) << 10) + mantissa);
}

inline unsigned char* block_memory() { return emulated::block_bytes(); }
inline void copy_async(void* dst, const void* src, bool is_there) {
  emulated::queue_copy(dst, src, is_there);
}
inline void copy_async_commit() { emulated::close_group(); }
template <int k_pending>
void copy_async_wait() {
  emulated::finish_groups(k_pending);
}

struct MatrixPart {
  uint32_t* dst;
  const void* row;
};

inline uint16_t element_at(const void* row, int index) {
  uint16_t bits;
  std::memcpy(&bits, static_cast<const unsigned char*>(row) + 2 * index, 2);
  return bits;
}

template <bool k_transposed>
void load_matrices_of_warp(void* const* parts, int /*count*/) {
  const auto part = [&](int lane) { return static_cast<const MatrixPart*>(parts[lane]); };
  for (int lane = 0; lane < 32; ++lane) {
    for (int m = 0; m < 4; ++m) {
      uint32_t pair[2];
      for (int i = 0; i < 2; ++i) {
        const int row = k_transposed ? 2 * (lane % 4) + i : lane / 4;
        const int column = k_transposed ? lane / 4 : 2 * (lane % 4) + i;
        pair[i] = element_at(part(8 * m + row)->row, column);
      }
      part(lane)->dst[m] = pair[0] | pair[1] << 16;
    }
  }
}

inline void load_matrices(uint32_t (&dst)[4], const void* row) {
  MatrixPart part{dst, row};
  emulated::with_warp(&part, load_matrices_of_warp<false>);
}
inline void load_matrices_transposed(uint32_t (&dst)[4], const void* row) {
  MatrixPart part{dst, row};
  emulated::with_warp(&part, load_matrices_of_warp<true>);
}

struct ProductPart {
  float* c;
  const uint32_t* a;
  uint32_t b[2];
};

template <typename T>
void multiply_add_of_warp(void* const* parts, int /*count*/) {
  float a[16][16];
  float b[16][8];
  const auto half = [](uint32_t packed, int i) {
    return float_of(T{}, static_cast<uint16_t>(i == 0 ? packed : packed >> 16));
  };
  for (int lane = 0; lane < 32; ++lane) {
    const auto& part = *static_cast<const ProductPart*>(parts[lane]);
    const int g = lane / 4;
    const int t = lane % 4;
    for (int i = 0; i < 2; ++i) {
      a[g][2 * t + i] = half(part.a[0], i);
      a[g + 8][2 * t + i] = half(part.a[1], i);
      a[g][2 * t + 8 + i] = half(part.a[2], i);
      a[g + 8][2 * t + 8 + i] = half(part.a[3], i);
      b[2 * t + i][g] = half(part.b[0], i);
      b[2 * t + 8 + i][g] = half(part.b[1], i);
    }
  }
  for (int lane = 0; lane < 32; ++lane) {
    const auto& part = *static_cast<const ProductPart*>(parts[lane]);
    for (int i = 0; i < 4; ++i) {
      const int row = lane / 4 + (i >= 2 ? 8 : 0);
      const int column = 2 * (lane % 4) + i % 2;
      float sum = 0;
      for (int k = 0; k < 16; ++k) sum += a[row][k] * b[k][column];
      part.c[i] += sum;
    }
  }
}

template <typename T>
void multiply_add(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  ProductPart part{c, a, {b0, b1}};
  emulated::with_warp(&part, multiply_add_of_warp<T>);
}

template <typename T>
uint32_t pack(float low, float high) {
  return bits_of(T{}, low) | static_cast<uint32_t>(bits_of(T{}, high)) << 16;
}

template <typename T>
float2 unpack(uint32_t packed) {
  return {float_of(T{}, static_cast<uint16_t>(packed)), float_of(T{}, static_cast<uint16_t>(packed >> 16))};
}

inline float fast_exp2(float x) { return x < -126.0F ? 0.0F : std::exp2(x); }

struct LanePart {
  float given;
  int mask;
  float got;
};

inline void exchange_lanes(void* const* parts, int count) {
  const auto part = [&](int lane) { return static_cast<LanePart*>(parts[lane]); };
  for (int lane = 0; lane < count; ++lane) part(lane)->got = part(lane ^ part(lane)->mask)->given;
}

inline float lane_xor(float x, int mask) {
  LanePart part{x, mask, 0};
  emulated::with_warp(&part, exchange_lanes);
  return part.got;
}

inline void nothing_together(void* const*, int) {}
inline void sync_warp() { emulated::with_warp(nullptr, nothing_together); }
inline void sync_block() { emulated::with_block(nullptr, nothing_together); }

inline void any_together(void* const* parts, int count) {
  bool any = false;
  for (int i = 0; i < count; ++i) any = any || *static_cast<bool*>(parts[i]);
  for (int i = 0; i < count; ++i) *static_cast<bool*>(parts[i]) = any;
}
inline bool any_of_block(bool says) {
  emulated::with_block(&says, any_together);
  return says;
}

}  // namespace crane::cuda
