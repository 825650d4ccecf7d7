// Eight floats of AVX2 with FMA. Included by the *_avx2.cpp files only, which alone are compiled for it:
// names have internal linkage, so that no other file can end up with their code.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace crane::kernels {
namespace {

struct Vec {
  static constexpr int k_lanes = 8;
  using Reg = __m256;

  static Reg load(const float* a) { return _mm256_loadu_ps(a); }
  static void store(float* a, Reg x) { _mm256_storeu_ps(a, x); }
  static Reg load_first(const float* a, int count) { return _mm256_maskload_ps(a, mask(count)); }
  static void store_first(float* a, Reg x, int count) { _mm256_maskstore_ps(a, mask(count), x); }
  static Reg zero() { return _mm256_setzero_ps(); }
  static Reg set1(float x) { return _mm256_set1_ps(x); }
  static Reg add(Reg a, Reg b) { return _mm256_add_ps(a, b); }
  static Reg sub(Reg a, Reg b) { return _mm256_sub_ps(a, b); }
  static Reg mul(Reg a, Reg b) { return _mm256_mul_ps(a, b); }
  static Reg div(Reg a, Reg b) { return _mm256_div_ps(a, b); }
  static Reg fma(Reg a, Reg b, Reg c) { return _mm256_fmadd_ps(a, b, c); }
  // The second where either is NaN.
  static Reg max(Reg a, Reg b) { return _mm256_max_ps(a, b); }
  static Reg min(Reg a, Reg b) { return _mm256_min_ps(a, b); }
  static Reg round(Reg x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  // x * 2^n for whole n in [-127, 127]; -127 counts as minus infinity.
  static Reg scale(Reg x, Reg n) {
    const __m256i biased = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
    return _mm256_mul_ps(x, _mm256_castsi256_ps(_mm256_slli_epi32(biased, 23)));
  }
  static Reg exponent_in_range(Reg x) { return min(set1(127.0F), max(set1(-127.0F), x)); }
  static Reg abs(Reg x) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0F), x); }
  static Reg with_sign_of(Reg x, Reg sign) {
    return _mm256_or_ps(abs(x), _mm256_and_ps(_mm256_set1_ps(-0.0F), sign));
  }
  // a where x < limit, else b.
  static Reg where_less(Reg x, Reg limit, Reg a, Reg b) {
    return _mm256_blendv_ps(b, a, _mm256_cmp_ps(x, limit, _CMP_LT_OQ));
  }
  // Bit i: lane i of x < 0 (false for NaN).
  static uint32_t negative_lanes(Reg x) {
    return static_cast<uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(x, _mm256_setzero_ps(), _CMP_LT_OQ)));
  }
  static float sum(Reg x) {
    __m128 half = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    half = _mm_add_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_add_ss(half, _mm_movehdup_ps(half)));
  }

  // Rows become columns, in place.
  static void transpose(Reg (&r)[k_lanes]) {
    Reg t[k_lanes];
    for (int i = 0; i < 8; i += 2) {
      t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
      t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
      r[i] = pairs<0x44>(t[i], t[i + 2]);
      r[i + 1] = pairs<0xEE>(t[i], t[i + 2]);
      r[i + 2] = pairs<0x44>(t[i + 1], t[i + 3]);
      r[i + 3] = pairs<0xEE>(t[i + 1], t[i + 3]);
    }
    // r[4 g + c] holds, in its 128-bit lane l, column 4 l + c of rows 4 g .. 4 g + 3.
    for (int c = 0; c < 4; ++c) {
      t[c] = _mm256_permute2f128_ps(r[c], r[4 + c], 0x20);
      t[4 + c] = _mm256_permute2f128_ps(r[c], r[4 + c], 0x31);
    }
    for (int i = 0; i < 8; ++i) r[i] = t[i];
  }

 private:
  static __m256i mask(int count) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
  template <int k_choice>
  static Reg pairs(Reg a, Reg b) {
    return _mm256_shuffle_ps(a, b, k_choice);
  }
};

}  // namespace
}  // namespace crane::kernels
