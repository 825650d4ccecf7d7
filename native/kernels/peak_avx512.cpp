#if defined(__x86_64__)

#include <immintrin.h>

#include "kernels/faces.h"
#include "kernels/peak_kernel.h"

namespace crane::kernels {
namespace {

struct Avx512Dot {
  using Sums = __m512;
  using Operand = __m512;
  static constexpr int64_t k_lanes = 16;
  static constexpr int64_t k_depth = 1;

  static Sums load(const float* from) { return _mm512_loadu_ps(from); }
  static void store(Sums sums, float* to) { _mm512_storeu_ps(to, sums); }
  static Operand left(const float* values) { return _mm512_set1_ps(values[0]); }
  static Operand right(const float* values) { return _mm512_set1_ps(values[0]); }
  static void keep(Operand& operand) { asm volatile("" : "+v"(operand)); }
  static Sums add(Sums sums, Operand left, Operand right) { return _mm512_fmadd_ps(left, right, sums); }
};

}  // namespace

const PeakFace k_peak_avx512 = PeakKernel<Avx512Dot, 24>::face;

}  // namespace crane::kernels

#endif
