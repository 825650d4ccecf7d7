#if defined(__aarch64__)

#include "kernels/vec_neon.h"
//
#include "kernels/faces.h"
#include "kernels/int8_linear_kernel.h"
#include "kernels/neon_matrices.h"

namespace crane::kernels {
namespace {

constexpr int k_rows = 6;

struct ByteCells {
  using Reg = Vec::Reg;

  static Reg from(const Reg (&x)[4], float inverse, int32_t zero) {
    return {cells(x[0], x[1], inverse, zero), cells(x[2], x[3], inverse, zero)};
  }
  static Reg floats(Reg sum, int32_t zero, Reg sums, Reg step) {
    return {floats(sum.low, zero, sums.low, step.low), floats(sum.high, zero, sums.high, step.high)};
  }
  static float32x4_t add(float32x4_t sums, float32x4_t rows, float32x4_t columns) {
    return vreinterpretq_f32_s32(
        vusmmlaq_s32(vreinterpretq_s32_f32(sums), vreinterpretq_u8_f32(rows), vreinterpretq_s8_f32(columns)));
  }

 private:
  static int32x4_t whole(float32x4_t x, float inverse, int32_t zero) {
    return vaddq_s32(vcvtnq_s32_f32(vmulq_n_f32(x, inverse)), vdupq_n_s32(zero));
  }
  // Sixteen values as four cells; what lies outside 0 to 255 is brought to its end.
  static float32x4_t cells(Reg a, Reg b, float inverse, int32_t zero) {
    const int16x8_t first =
        vcombine_s16(vqmovn_s32(whole(a.low, inverse, zero)), vqmovn_s32(whole(a.high, inverse, zero)));
    const int16x8_t second =
        vcombine_s16(vqmovn_s32(whole(b.low, inverse, zero)), vqmovn_s32(whole(b.high, inverse, zero)));
    return vreinterpretq_f32_u8(vcombine_u8(vqmovun_s16(first), vqmovun_s16(second)));
  }
  static float32x4_t floats(float32x4_t sum, int32_t zero, float32x4_t sums, float32x4_t step) {
    const int32x4_t shifted = vmlsq_n_s32(vreinterpretq_s32_f32(sum), vreinterpretq_s32_f32(sums), zero);
    return vmulq_f32(vcvtq_f32_s32(shifted), step);
  }
};

// The tiles of float32; rows of a block take 240 KB at most.
using Tiles = MatrixTiles<ByteCells, k_rows>;
using Kernel = Int8LinearKernel<Vec, ByteCells, k_rows, /*k_block_bytes=*/240 << 10, Tiles>;

}  // namespace

const LinearFace k_linear_neoni8mm = {k_rows,
                                      Kernel::k_columns,
                                      /*cell_values=*/4,
                                      Kernel::run,
                                      /*cell_multiple=*/2,
                                      /*block_panels=*/8,
                                      /*cells_together=*/2};

}  // namespace crane::kernels

#endif
