// bfloat16 pairs beside the floats of vec_avx512.h, a format of cells.h. Included by the *_avx512bf16.cpp
// files only, which alone are compiled for these instructions.
//
// A cell of four bytes holds two bfloat16 values, the first in its low half; sixteen cells fill a register
// and travel as floats that nothing computes with. Rounding is to the nearest, halves to even; subnormal
// floats count as zero, NaN stays NaN, and what lies behind the largest bfloat16 becomes infinite.
#pragma once

#include "kernels/exp2.h"
#include "kernels/vec_avx512.h"

namespace crane::kernels {
namespace {

struct PairCells {
  using Reg = Vec::Reg;
  static constexpr int k_values = 2;

  // cell i = values 2 i and 2 i + 1 of the 32 of x.
  static Reg from(const Reg (&x)[k_values]) { return cells(_mm512_cvtne2ps_pbh(x[1], x[0])); }
  // cell i = (x[0][i], x[1][i]).
  static Reg across(const Reg (&x)[k_values]) {
    const __m512i halves = (__m512i)_mm512_cvtne2ps_pbh(x[1], x[0]);
    const __m512i first = _mm512_set_epi32(
        0x001F000F, 0x001E000E, 0x001D000D, 0x001C000C, 0x001B000B, 0x001A000A, 0x00190009, 0x00180008,
        0x00170007, 0x00160006, 0x00150005, 0x00140004, 0x00130003, 0x00120002, 0x00110001, 0x00100000);
    return _mm512_castsi512_ps(_mm512_permutexvar_epi16(first, halves));
  }
  static Reg dot(Reg a, Reg b, Reg sum) { return _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)b); }
  static Reg ones() { return _mm512_castsi512_ps(_mm512_set1_epi32(0x3F803F80)); }

  // 2^x with a relative error below 2.7e-6, a thousandth of what rounding the result to bfloat16 may add.
  // x = -inf gives 0, NaN stays.
  static Reg short_exp2(Reg x) {
    const Reg f = _mm512_reduce_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);  // x - floor(x)
    return _mm512_scalef_ps(short_exp2_of_fraction<Vec>(f), x);                    // 2^f 2^floor(x)
  }

 private:
  static Reg cells(__m512bh x) { return (Reg)x; }
};

}  // namespace
}  // namespace crane::kernels
