// A face as anyone would add it: the algorithm of the linear kernel over a vector type of plain code, this
// file and its row. Builds with tests alone have it; CRANE_KERNELS=linear=toy runs it.
#include <cmath>
#include <cstdint>
#include <utility>

#include "kernels/faces.h"
#include "kernels/linear_panels_kernel.h"

namespace crane::kernels {
namespace {

struct FourFloats {
  static constexpr int k_lanes = 4;
  struct Reg {
    float lane[k_lanes];
  };

  template <typename Of>
  static Reg each(Of of) {
    Reg r;
    for (int i = 0; i < k_lanes; ++i) r.lane[i] = of(i);
    return r;
  }

  static Reg load(const float* a) { return load_first(a, k_lanes); }
  static void store(float* a, Reg x) { store_first(a, x, k_lanes); }
  static Reg load_first(const float* a, int count) {
    return each([&](int i) { return i < count ? a[i] : 0.0F; });
  }
  static void store_first(float* a, Reg x, int count) {
    for (int i = 0; i < count; ++i) a[i] = x.lane[i];
  }
  static Reg zero() { return set1(0); }
  static Reg set1(float x) {
    return each([&](int) { return x; });
  }
  static Reg add(Reg a, Reg b) {
    return each([&](int i) { return a.lane[i] + b.lane[i]; });
  }
  static Reg sub(Reg a, Reg b) {
    return each([&](int i) { return a.lane[i] - b.lane[i]; });
  }
  static Reg mul(Reg a, Reg b) {
    return each([&](int i) { return a.lane[i] * b.lane[i]; });
  }
  static Reg div(Reg a, Reg b) {
    return each([&](int i) { return a.lane[i] / b.lane[i]; });
  }
  static Reg fma(Reg a, Reg b, Reg c) {
    return each(
        [&](int i) { return static_cast<float>(static_cast<double>(a.lane[i]) * b.lane[i] + c.lane[i]); });
  }
  static Reg max(Reg a, Reg b) {
    return each([&](int i) { return a.lane[i] > b.lane[i] ? a.lane[i] : b.lane[i]; });
  }
  static Reg min(Reg a, Reg b) {
    return each([&](int i) { return a.lane[i] < b.lane[i] ? a.lane[i] : b.lane[i]; });
  }
  static Reg abs(Reg x) {
    return each([&](int i) { return std::fabs(x.lane[i]); });
  }
  static Reg round(Reg x) {
    return each([&](int i) { return std::nearbyintf(x.lane[i]); });
  }
  static Reg scale(Reg x, Reg n) {
    return each([&](int i) { return std::ldexp(x.lane[i], static_cast<int>(n.lane[i])); });
  }
  static Reg exponent_in_range(Reg x) { return min(set1(127), max(set1(-127), x)); }
  static float sum(Reg x) { return (x.lane[0] + x.lane[1]) + (x.lane[2] + x.lane[3]); }
  static void transpose(Reg (&r)[k_lanes]) {
    for (int i = 0; i < k_lanes; ++i) {
      for (int j = 0; j < i; ++j) std::swap(r[i].lane[j], r[j].lane[i]);
    }
  }
};

using Kernel = LinearKernel<FourFloats, FloatCells<FourFloats>, /*k_rows=*/4, /*k_block_panels=*/4>;

}  // namespace

const LinearFace k_linear_toy = {4, Kernel::k_columns, /*cell_values=*/1, Kernel::run};

}  // namespace crane::kernels
