// bfloat16 pairs beside the floats of vec_neon.h, a format of cells.h. Included by the *_neonbf16.cpp files
// only, which alone are compiled for these instructions.
//
// A cell of four bytes holds two bfloat16 values, the first in its low half; eight cells fill a register of
// vec_neon.h and travel as floats that nothing computes with. Rounding is to the nearest, halves to even; NaN
// stays NaN, and what lies behind the largest bfloat16 becomes infinite. The products take subnormal numbers
// for zero and round the sum of two products once more before they add it.
#pragma once

#include "kernels/exp2.h"
#include "kernels/vec_neon.h"

namespace crane::kernels {
namespace {

struct PairCells {
  using Reg = Vec::Reg;
  static constexpr int k_values = 2;

  // cell i = values 2 i and 2 i + 1 of the 16 of x.
  static Reg from(const Reg (&x)[k_values]) {
    return {vreinterpretq_f32_bf16(rounded(x[0])), vreinterpretq_f32_bf16(rounded(x[1]))};
  }
  // cell i = (x[0][i], x[1][i]).
  static Reg across(const Reg (&x)[k_values]) {
    const uint16x8_t first = vreinterpretq_u16_bf16(rounded(x[0]));
    const uint16x8_t second = vreinterpretq_u16_bf16(rounded(x[1]));
    return {vreinterpretq_f32_u16(vzip1q_u16(first, second)),
            vreinterpretq_f32_u16(vzip2q_u16(first, second))};
  }
  static Reg dot(Reg a, Reg b, Reg sum) {
    return {vbfdotq_f32(sum.low, vreinterpretq_bf16_f32(a.low), vreinterpretq_bf16_f32(b.low)),
            vbfdotq_f32(sum.high, vreinterpretq_bf16_f32(a.high), vreinterpretq_bf16_f32(b.high))};
  }
  static Reg ones() {
    // GCC 12 would take vectors of this constant for ones in half precision.
    uint32_t two = 0x3F803F80U;
    asm("" : "+r"(two));
    const float32x4_t pair = vreinterpretq_f32_u32(vdupq_n_u32(two));
    return {pair, pair};
  }

  // 2^x with a relative error below 2.7e-6, a thousandth of what rounding the result to bfloat16 may add.
  // x = -inf and what would be subnormal give 0, NaN stays.
  static Reg short_exp2(Reg x) {
    x = Vec::exponent_in_range(x);
    const Reg whole = {vrndmq_f32(x.low), vrndmq_f32(x.high)};
    return Vec::scale(short_exp2_of_fraction<Vec>(Vec::sub(x, whole)), whole);
  }

 private:
  static bfloat16x8_t rounded(Reg x) { return vcvtq_high_bf16_f32(vcvtq_low_bf16_f32(x.low), x.high); }
};

}  // namespace
}  // namespace crane::kernels
