#if defined(__aarch64__)

#include <arm_neon.h>

#include "kernels/faces.h"
#include "kernels/peak_kernel.h"

namespace crane::kernels {
namespace {

struct NeonDot {
  using Sums = float32x4_t;
  using Operand = float32x4_t;
  static constexpr int64_t k_lanes = 4;
  static constexpr int64_t k_depth = 1;

  static Sums load(const float* from) { return vld1q_f32(from); }
  static void store(Sums sums, float* to) { vst1q_f32(to, sums); }
  static Operand left(const float* values) { return vdupq_n_f32(values[0]); }
  static Operand right(const float* values) { return vdupq_n_f32(values[0]); }
  static void keep(Operand& operand) { asm volatile("" : "+w"(operand)); }
  static Sums add(Sums sums, Operand left, Operand right) { return vfmaq_f32(sums, left, right); }
};

}  // namespace

const PeakFace k_peak_neon = PeakKernel<NeonDot, 24>::face;

}  // namespace crane::kernels

#endif
