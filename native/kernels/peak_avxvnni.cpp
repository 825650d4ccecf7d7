#if defined(__x86_64__)

#include <immintrin.h>

#include "kernels/faces.h"
#include "kernels/peak_kernel.h"

namespace crane::kernels {
namespace {

struct AvxVnniDot {
  using Sums = __m256i;
  using Operand = __m256i;
  static constexpr int64_t k_lanes = 8;
  static constexpr int64_t k_depth = 4;

  static Sums load(const float* from) { return _mm256_cvtps_epi32(_mm256_loadu_ps(from)); }
  static void store(Sums sums, float* to) { _mm256_storeu_ps(to, _mm256_cvtepi32_ps(sums)); }
  static Operand left(const float* values) { return _mm256_set1_epi32(four_bytes(values)); }
  static Operand right(const float* values) { return left(values); }
  static void keep(Operand& operand) { asm volatile("" : "+x"(operand)); }
  static Sums add(Sums sums, Operand left, Operand right) {
    return _mm256_dpbusd_avx_epi32(sums, left, right);
  }
};

}  // namespace

// Of 16 registers: 12 chains and the two factors.
const PeakFace k_peak_avxvnni = PeakKernel<AvxVnniDot, 12>::face;

}  // namespace crane::kernels

#endif
