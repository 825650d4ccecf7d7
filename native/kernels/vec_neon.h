// Eight floats of NEON in two registers: so the faces for it have the tiles of AVX2's, whose results fill 24
// of the 32 registers here. Every 64-bit ARM has NEON. Included by the *_neon.cpp files only.
#pragma once

#include <arm_neon.h>

#include <cstdint>
#include <utility>

namespace crane::kernels {
namespace {

struct Vec {
  static constexpr int k_lanes = 8;
  struct Reg {
    float32x4_t low;
    float32x4_t high;
  };

  static Reg load(const float* a) { return {vld1q_f32(a), vld1q_f32(a + 4)}; }
  static void store(float* a, Reg x) {
    vst1q_f32(a, x.low);
    vst1q_f32(a + 4, x.high);
  }
  static Reg load_first(const float* a, int count) {
    if (count >= k_lanes) return load(a);
    float part[k_lanes] = {};
    for (int i = 0; i < count; ++i) part[i] = a[i];
    return load(part);
  }
  static void store_first(float* a, Reg x, int count) {
    if (count >= k_lanes) return store(a, x);
    float part[k_lanes];
    store(part, x);
    for (int i = 0; i < count; ++i) a[i] = part[i];
  }
  static Reg zero() { return set1(0.0F); }
  static Reg set1(float x) { return {vdupq_n_f32(x), vdupq_n_f32(x)}; }
  static Reg add(Reg a, Reg b) { return {vaddq_f32(a.low, b.low), vaddq_f32(a.high, b.high)}; }
  static Reg sub(Reg a, Reg b) { return {vsubq_f32(a.low, b.low), vsubq_f32(a.high, b.high)}; }
  static Reg mul(Reg a, Reg b) { return {vmulq_f32(a.low, b.low), vmulq_f32(a.high, b.high)}; }
  static Reg div(Reg a, Reg b) { return {vdivq_f32(a.low, b.low), vdivq_f32(a.high, b.high)}; }
  static Reg fma(Reg a, Reg b, Reg c) {
    return {vfmaq_f32(c.low, a.low, b.low), vfmaq_f32(c.high, a.high, b.high)};
  }
  // The second where either is NaN, as on x86.
  static Reg max(Reg a, Reg b) { return chosen(vcgtq_f32(a.low, b.low), vcgtq_f32(a.high, b.high), a, b); }
  static Reg min(Reg a, Reg b) { return chosen(vcltq_f32(a.low, b.low), vcltq_f32(a.high, b.high), a, b); }
  static Reg round(Reg x) { return {vrndnq_f32(x.low), vrndnq_f32(x.high)}; }
  // x * 2^n for whole n in [-127, 127]; -127 counts as minus infinity.
  static Reg scale(Reg x, Reg n) {
    const auto power = [](float32x4_t e) {
      const int32x4_t biased = vaddq_s32(vcvtq_s32_f32(e), vdupq_n_s32(127));
      return vreinterpretq_f32_s32(vshlq_n_s32(biased, 23));
    };
    return {vmulq_f32(x.low, power(n.low)), vmulq_f32(x.high, power(n.high))};
  }
  static Reg exponent_in_range(Reg x) { return min(set1(127.0F), max(set1(-127.0F), x)); }
  static Reg abs(Reg x) { return {vabsq_f32(x.low), vabsq_f32(x.high)}; }
  // a where x < limit, else b.
  static Reg where_less(Reg x, Reg limit, Reg a, Reg b) {
    return chosen(vcltq_f32(x.low, limit.low), vcltq_f32(x.high, limit.high), a, b);
  }
  // Bit i: lane i of x < 0 (false for NaN).
  static uint32_t negative_lanes(Reg x) {
    const uint32x4_t bit = {1, 2, 4, 8};
    const uint32_t low = vaddvq_u32(vandq_u32(vcltzq_f32(x.low), bit));
    return low | vaddvq_u32(vandq_u32(vcltzq_f32(x.high), bit)) << 4;
  }
  static float sum(Reg x) { return vaddvq_f32(vaddq_f32(x.low, x.high)); }

  // Rows become columns, in place: each quarter of 4 x 4, then the quarters beside the diagonal change
  // places.
  static void transpose(Reg (&r)[k_lanes]) {
    for (int i = 0; i < k_lanes; i += 4) {
      transpose_4(r[i].low, r[i + 1].low, r[i + 2].low, r[i + 3].low);
      transpose_4(r[i].high, r[i + 1].high, r[i + 2].high, r[i + 3].high);
    }
    for (int i = 0; i < 4; ++i) std::swap(r[i].high, r[4 + i].low);
  }

 private:
  static Reg chosen(uint32x4_t low, uint32x4_t high, Reg a, Reg b) {
    return {vbslq_f32(low, a.low, b.low), vbslq_f32(high, a.high, b.high)};
  }
  static void transpose_4(float32x4_t& a, float32x4_t& b, float32x4_t& c, float32x4_t& d) {
    const float32x4x2_t ab = vtrnq_f32(a, b);
    const float32x4x2_t cd = vtrnq_f32(c, d);
    a = vcombine_f32(vget_low_f32(ab.val[0]), vget_low_f32(cd.val[0]));
    b = vcombine_f32(vget_low_f32(ab.val[1]), vget_low_f32(cd.val[1]));
    c = vcombine_f32(vget_high_f32(ab.val[0]), vget_high_f32(cd.val[0]));
    d = vcombine_f32(vget_high_f32(ab.val[1]), vget_high_f32(cd.val[1]));
  }
};

}  // namespace
}  // namespace crane::kernels
