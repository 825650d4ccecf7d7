#if defined(__x86_64__)

#include <immintrin.h>

#include "kernels/faces.h"
#include "kernels/peak_kernel.h"

namespace crane::kernels {
namespace {

struct Avx512VnniDot {
  using Sums = __m512i;
  using Operand = __m512i;
  static constexpr int64_t k_lanes = 16;
  static constexpr int64_t k_depth = 4;

  static Sums load(const float* from) { return _mm512_cvtps_epi32(_mm512_loadu_ps(from)); }
  static void store(Sums sums, float* to) { _mm512_storeu_ps(to, _mm512_cvtepi32_ps(sums)); }
  static Operand left(const float* values) { return _mm512_set1_epi32(four_bytes(values)); }
  static Operand right(const float* values) { return left(values); }
  static void keep(Operand& operand) { asm volatile("" : "+v"(operand)); }
  static Sums add(Sums sums, Operand left, Operand right) { return _mm512_dpbusd_epi32(sums, left, right); }
};

}  // namespace

const PeakFace k_peak_avx512vnni = PeakKernel<Avx512VnniDot, 24>::face;

}  // namespace crane::kernels

#endif
