// Sixteen floats of AVX-512. Included by the *_avx512.cpp files only, which alone are compiled for it: names
// have internal linkage, so that no other file can end up with their code.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace crane::kernels {
namespace {

struct Vec {
  static constexpr int k_lanes = 16;
  using Reg = __m512;

  static Reg load(const float* a) { return _mm512_loadu_ps(a); }
  static void store(float* a, Reg x) { _mm512_storeu_ps(a, x); }
  static Reg load_first(const float* a, int count) { return _mm512_maskz_loadu_ps(mask(count), a); }
  static void store_first(float* a, Reg x, int count) { _mm512_mask_storeu_ps(a, mask(count), x); }
  static Reg zero() { return _mm512_setzero_ps(); }
  static Reg set1(float x) { return _mm512_set1_ps(x); }
  static Reg add(Reg a, Reg b) { return _mm512_add_ps(a, b); }
  static Reg sub(Reg a, Reg b) { return _mm512_sub_ps(a, b); }
  static Reg mul(Reg a, Reg b) { return _mm512_mul_ps(a, b); }
  static Reg div(Reg a, Reg b) { return _mm512_div_ps(a, b); }
  static Reg fma(Reg a, Reg b, Reg c) { return _mm512_fmadd_ps(a, b, c); }
  // The second where either is NaN.
  static Reg max(Reg a, Reg b) { return _mm512_max_ps(a, b); }
  static Reg min(Reg a, Reg b) { return _mm512_min_ps(a, b); }
  static Reg round(Reg x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  // x * 2^n for whole n; what is too small becomes subnormal or zero.
  static Reg scale(Reg x, Reg n) { return _mm512_scalef_ps(x, n); }
  // scale() bears any exponent.
  static Reg exponent_in_range(Reg x) { return x; }
  static Reg abs(Reg x) { return _mm512_abs_ps(x); }
  static Reg with_sign_of(Reg x, Reg sign) {
    const __m512i bit = _mm512_set1_epi32(INT32_MIN);
    return _mm512_castsi512_ps(
        _mm512_ternarylogic_epi32(bit, _mm512_castps_si512(sign), _mm512_castps_si512(x), 0xCA));
  }
  // a where x < limit, else b.
  static Reg where_less(Reg x, Reg limit, Reg a, Reg b) {
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(x, limit, _CMP_LT_OQ), b, a);
  }
  // Bit i: lane i of x < 0 (false for NaN).
  static uint32_t negative_lanes(Reg x) { return _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_LT_OQ); }
  static float sum(Reg x) { return _mm512_reduce_add_ps(x); }

  // Rows become columns, in place.
  static void transpose(Reg (&r)[k_lanes]) {
    Reg t[k_lanes];
    for (int i = 0; i < 16; i += 2) {
      t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
      t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
    }
    for (int i = 0; i < 16; i += 4) {
      r[i] = pairs<0x44>(t[i], t[i + 2]);
      r[i + 1] = pairs<0xEE>(t[i], t[i + 2]);
      r[i + 2] = pairs<0x44>(t[i + 1], t[i + 3]);
      r[i + 3] = pairs<0xEE>(t[i + 1], t[i + 3]);
    }
    // r[4 g + c] holds, in its 128-bit lane l, column 4 l + c of rows 4 g .. 4 g + 3.
    for (int c = 0; c < 4; ++c) {
      const Reg low01 = _mm512_shuffle_f32x4(r[c], r[4 + c], 0x88);
      const Reg high01 = _mm512_shuffle_f32x4(r[c], r[4 + c], 0xDD);
      const Reg low23 = _mm512_shuffle_f32x4(r[8 + c], r[12 + c], 0x88);
      const Reg high23 = _mm512_shuffle_f32x4(r[8 + c], r[12 + c], 0xDD);
      t[c] = _mm512_shuffle_f32x4(low01, low23, 0x88);
      t[8 + c] = _mm512_shuffle_f32x4(low01, low23, 0xDD);
      t[4 + c] = _mm512_shuffle_f32x4(high01, high23, 0x88);
      t[12 + c] = _mm512_shuffle_f32x4(high01, high23, 0xDD);
    }
    for (int i = 0; i < 16; ++i) r[i] = t[i];
  }

 private:
  static __mmask16 mask(int count) { return static_cast<__mmask16>((1U << count) - 1U); }
  template <int k_choice>
  static Reg pairs(Reg a, Reg b) {
    return _mm512_shuffle_ps(a, b, k_choice);
  }
};

}  // namespace
}  // namespace crane::kernels
