#if defined(__aarch64__)

#include <arm_neon.h>

#include "kernels/faces.h"
#include "kernels/peak_kernel.h"

namespace crane::kernels {
namespace {

// Both rows and both columns are the same one.
struct NeonI8mmProduct {
  using Sums = int32x4_t;
  using Operand = int8x16_t;
  static constexpr int64_t k_lanes = 4;
  static constexpr int64_t k_depth = 8;

  static Sums load(const float* from) { return vcvtq_s32_f32(vld1q_f32(from)); }
  static void store(Sums sums, float* to) { vst1q_f32(to, vcvtq_f32_s32(sums)); }
  static Operand left(const float* values) {
    const int32x2_t eight = {four_bytes(values), four_bytes(values + 4)};
    return vreinterpretq_s8_s32(vcombine_s32(eight, eight));
  }
  static Operand right(const float* values) { return left(values); }
  static void keep(Operand& operand) { asm volatile("" : "+w"(operand)); }
  static Sums add(Sums sums, Operand left, Operand right) {
    return vusmmlaq_s32(sums, vreinterpretq_u8_s8(left), right);
  }
};

}  // namespace

const PeakFace k_peak_neoni8mm = PeakKernel<NeonI8mmProduct, 24>::face;

}  // namespace crane::kernels

#endif
