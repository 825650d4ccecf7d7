#if defined(__x86_64__)

#include "kernels/vec_avx2.h"
//
#include "kernels/faces.h"
#include "kernels/int8_linear_kernel.h"

namespace crane::kernels {
namespace {

struct ByteCells {
  using Reg = Vec::Reg;

  // The packs work within halves of a register, so that cell c of vector v comes to stand at 4 c + v.
  static Reg from(const Reg (&x)[4], float inverse, int32_t zero) {
    __m256i whole[4];
    for (int v = 0; v < 4; ++v) {
      whole[v] = _mm256_add_epi32(_mm256_cvtps_epi32(_mm256_mul_ps(x[v], _mm256_set1_ps(inverse))),
                                  _mm256_set1_epi32(zero));
    }
    const __m256i packed =
        _mm256_packus_epi16(_mm256_packs_epi32(whole[0], whole[1]), _mm256_packs_epi32(whole[2], whole[3]));
    return _mm256_castsi256_ps(_mm256_permutevar8x32_epi32(packed, _mm256_set_epi32(7, 3, 6, 2, 5, 1, 4, 0)));
  }
  static Reg dot(Reg u, Reg q, Reg sum) {
    return _mm256_castsi256_ps(
        _mm256_dpbusd_avx_epi32(_mm256_castps_si256(sum), _mm256_castps_si256(u), _mm256_castps_si256(q)));
  }
  static Reg floats(Reg sum, int32_t zero, Reg sums, Reg step) {
    const __m256i shift = _mm256_mullo_epi32(_mm256_set1_epi32(zero), _mm256_castps_si256(sums));
    return _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_sub_epi32(_mm256_castps_si256(sum), shift)), step);
  }
};

// The tiles of float32; rows of a block take 240 KB at most.
using Kernel = Int8LinearKernel<Vec, ByteCells, /*k_rows=*/6, /*k_block_bytes=*/240 << 10>;

}  // namespace

const LinearFace k_linear_avxvnni = {6, Kernel::k_columns, /*cell_values=*/4, Kernel::run};

}  // namespace crane::kernels

#endif
