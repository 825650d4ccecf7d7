// What a compiler takes for granted: vectors of four floats, a multiplication and an addition apiece.
#include <cstring>

#include "kernels/faces.h"
#include "kernels/peak_kernel.h"

namespace crane::kernels {
namespace {

struct PlainDot {
  using Sums = float __attribute__((vector_size(16)));
  using Operand = Sums;
  static constexpr int64_t k_lanes = 4;
  static constexpr int64_t k_depth = 1;

  static Sums load(const float* from) {
    Sums sums;
    std::memcpy(&sums, from, sizeof(sums));
    return sums;
  }
  static void store(const Sums& sums, float* to) { std::memcpy(to, &sums, sizeof(sums)); }
  static Operand left(const float* values) { return Operand{values[0], values[0], values[0], values[0]}; }
  static Operand right(const float* values) { return left(values); }
  // Each chain's product is its own: the compiler may not take one for all.
  static void keep(Operand& operand) {
#if defined(__x86_64__)
    asm volatile("" : "+x"(operand));
#elif defined(__aarch64__)
    asm volatile("" : "+w"(operand));
#else
    asm volatile("" : "+m"(operand));
#endif
  }
  static Sums add(const Sums& sums, const Operand& left, const Operand& right) { return sums + left * right; }
};

}  // namespace

const PeakFace k_peak_plain = PeakKernel<PlainDot, 10>::face;

}  // namespace crane::kernels
