#if defined(__x86_64__)

#include <immintrin.h>

#include "kernels/faces.h"
#include "kernels/peak_kernel.h"

namespace crane::kernels {
namespace {

struct Avx512Bf16Dot {
  using Sums = __m512;
  using Operand = __m512bh;
  static constexpr int64_t k_lanes = 16;
  static constexpr int64_t k_depth = 2;

  static Sums load(const float* from) { return _mm512_loadu_ps(from); }
  static void store(Sums sums, float* to) { _mm512_storeu_ps(to, sums); }
  // Pairs [values[0], values[1]], so many as there are lanes.
  static Operand left(const float* values) {
    float pairs[32];
    for (int i = 0; i < 32; ++i) pairs[i] = values[i % 2];
    // the second argument fills the lower half
    return _mm512_cvtne2ps_pbh(_mm512_loadu_ps(pairs + 16), _mm512_loadu_ps(pairs));
  }
  static Operand right(const float* values) { return left(values); }
  static void keep(Operand& operand) { asm volatile("" : "+v"(operand)); }
  static Sums add(Sums sums, Operand left, Operand right) { return _mm512_dpbf16_ps(sums, left, right); }
};

}  // namespace

const PeakFace k_peak_avx512bf16 = PeakKernel<Avx512Bf16Dot, 24>::face;

}  // namespace crane::kernels

#endif
