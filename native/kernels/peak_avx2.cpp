#if defined(__x86_64__)

#include <immintrin.h>

#include "kernels/faces.h"
#include "kernels/peak_kernel.h"

namespace crane::kernels {
namespace {

struct Avx2Dot {
  using Sums = __m256;
  using Operand = __m256;
  static constexpr int64_t k_lanes = 8;
  static constexpr int64_t k_depth = 1;

  static Sums load(const float* from) { return _mm256_loadu_ps(from); }
  static void store(Sums sums, float* to) { _mm256_storeu_ps(to, sums); }
  static Operand left(const float* values) { return _mm256_set1_ps(values[0]); }
  static Operand right(const float* values) { return _mm256_set1_ps(values[0]); }
  static void keep(Operand& operand) { asm volatile("" : "+x"(operand)); }
  static Sums add(Sums sums, Operand left, Operand right) { return _mm256_fmadd_ps(left, right, sums); }
};

}  // namespace

// Of 16 registers: 12 chains and the two factors.
const PeakFace k_peak_avx2 = PeakKernel<Avx2Dot, 12>::face;

}  // namespace crane::kernels

#endif
