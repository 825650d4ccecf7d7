// Whole numbers of rows beside the floats of vec_avx512.h (int8_linear_kernel.h). Included by the
// *_avx512vnni.cpp and *_amxint8.cpp files only, which alone are compiled for these instructions.
#pragma once

#include "kernels/vec_avx512.h"

namespace crane::kernels {
namespace {

struct ByteCells {
  using Reg = Vec::Reg;

  // The packs work within quarters of a register, so that cell c of vector v comes to stand at 4 c + v.
  static Reg from(const Reg (&x)[4], float inverse, int32_t zero) {
    __m512i whole[4];
    for (int v = 0; v < 4; ++v) {
      whole[v] = _mm512_add_epi32(_mm512_cvtps_epi32(_mm512_mul_ps(x[v], _mm512_set1_ps(inverse))),
                                  _mm512_set1_epi32(zero));
    }
    const __m512i packed =
        _mm512_packus_epi16(_mm512_packs_epi32(whole[0], whole[1]), _mm512_packs_epi32(whole[2], whole[3]));
    const __m512i order = _mm512_set_epi32(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
    return _mm512_castsi512_ps(_mm512_permutexvar_epi32(order, packed));
  }
  static Reg dot(Reg u, Reg q, Reg sum) {
    return _mm512_castsi512_ps(
        _mm512_dpbusd_epi32(_mm512_castps_si512(sum), _mm512_castps_si512(u), _mm512_castps_si512(q)));
  }
  static Reg floats(Reg sum, int32_t zero, Reg sums, Reg step) {
    const __m512i shift = _mm512_mullo_epi32(_mm512_set1_epi32(zero), _mm512_castps_si512(sums));
    return _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_sub_epi32(_mm512_castps_si512(sum), shift)), step);
  }
};

}  // namespace
}  // namespace crane::kernels
