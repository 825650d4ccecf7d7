#if defined(__aarch64__)

#include <arm_neon.h>

#include "kernels/faces.h"
#include "kernels/peak_kernel.h"

namespace crane::kernels {
namespace {

// Both rows and both columns are the same one.
struct NeonBf16Product {
  using Sums = float32x4_t;
  using Operand = bfloat16x8_t;
  static constexpr int64_t k_lanes = 4;
  static constexpr int64_t k_depth = 4;

  static Sums load(const float* from) { return vld1q_f32(from); }
  static void store(Sums sums, float* to) { vst1q_f32(to, sums); }
  static Operand left(const float* values) {
    const float32x4_t four = vld1q_f32(values);
    return vcvtq_high_bf16_f32(vcvtq_low_bf16_f32(four), four);
  }
  static Operand right(const float* values) { return left(values); }
  static void keep(Operand& operand) { asm volatile("" : "+w"(operand)); }
  static Sums add(Sums sums, Operand left, Operand right) { return vbfmmlaq_f32(sums, left, right); }
};

}  // namespace

const PeakFace k_peak_neonbf16 = PeakKernel<NeonBf16Product, 24>::face;

}  // namespace crane::kernels

#endif
