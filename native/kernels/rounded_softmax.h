// How scores become weights that are rounded to bfloat16, a Softmax of attention_panels_kernel.h over a
// vector type V and its pairs of bfloat16 (Pairs); included by the faces of bfloat16 only.
#pragma once

namespace crane::kernels {
namespace {

// Exponentials as short as rounding to bfloat16 allows. The scale multiplies the scores, so that queries are
// rounded as they are.
//
// Weights are normalised and added in float32, then rounded; each row is divided by the sum of what was
// rounded, which costs one more product for a pair of keys: so equal values come out as they went in, and a
// row whose weight lies on few keys does not keep their rounding.
template <typename V, typename Pairs>
struct RoundedSoftmax {
  using Reg = typename V::Reg;
  static constexpr bool k_divides_by_what_was_multiplied = true;

  static Reg query(Reg /*scale*/, Reg x) { return x; }
  // What is added to a scaled score.
  static Reg shift_of(Reg scale, Reg highest) { return V::mul(V::sub(V::zero(), scale), highest); }
  static Reg weight(Reg scale, Reg score, Reg shift) {
    return Pairs::short_exp2(V::fma(scale, score, shift));
  }
  static Reg fade(Reg scale, Reg from, Reg to) { return Pairs::short_exp2(V::mul(scale, V::sub(from, to))); }
  static Reg divisor_of(Reg sum) { return sum; }
  static Reg share(Reg fade, Reg divisor) { return V::div(fade, divisor); }
};

}  // namespace
}  // namespace crane::kernels
