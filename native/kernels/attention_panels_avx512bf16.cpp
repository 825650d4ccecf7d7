#if defined(__x86_64__)

#include "kernels/vec_avx512bf16.h"
//
#include "kernels/attention_panels_kernel.h"
#include "kernels/faces.h"

namespace crane::kernels {
namespace {

// Exponentials as short as rounding to bfloat16 allows. The scale multiplies the scores, so that queries are
// rounded as they are.
//
// Weights are normalised and added in float32, then rounded; each row is divided by the sum of what was
// rounded, which costs one more product for a pair of keys: so equal values come out as they went in, and a
// row whose weight lies on few keys does not keep their rounding.
struct RoundedSoftmax {
  using Reg = Vec::Reg;
  static constexpr bool k_divides_by_what_was_multiplied = true;

  static Reg query(Reg /*scale*/, Reg x) { return x; }
  static Reg shift_of(Reg scale, Reg highest) { return Vec::mul(scale, highest); }
  static Reg weight(Reg scale, Reg score, Reg shift) {
    return short_exp2_lanes(_mm512_fmsub_ps(scale, score, shift));
  }
  static Reg fade(Reg scale, Reg from, Reg to) {
    return short_exp2_lanes(Vec::mul(scale, Vec::sub(from, to)));
  }
  static Reg divisor_of(Reg sum) { return sum; }
  static Reg share(Reg fade, Reg divisor) { return Vec::div(fade, divisor); }
};

}  // namespace

// As for float32; scores, or weights with values and sums, of twice as many keys stay in 32 KB.
using Kernel = AttentionKernel<Vec, PairCells, RoundedSoftmax, /*k_keys=*/14, /*k_value_rows=*/7,
                               /*k_value_vectors=*/4, /*k_tiles=*/8>;
const AttentionFace k_attention_avx512bf16 = {Kernel::k_panel, Kernel::run};

}  // namespace crane::kernels

#endif
