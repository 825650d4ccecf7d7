// Activations of a linear layer, lane by lane; included by the kernels' files only.
#pragma once

#include "kernels/exp2.h"

namespace crane::kernels {

constexpr float k_log2_e = 1.44269504088896340736F;

namespace {

// x sigmoid(1.702 x).
template <typename V>
inline typename V::Reg quick_gelu_lanes(typename V::Reg x) {
  const typename V::Reg e = exp2_lanes<V>(V::mul(x, V::set1(-1.702F * k_log2_e)));
  return V::div(x, V::add(V::set1(1.0F), e));
}

// x Phi(x) with the exact normal distribution: max(x, 0) - |x| Q(|x|), and Q(t) = 2^-(1 + t L(t)) with a
// polynomial L of degree 9 fitted on [0, 6.2], behind which |x| Q(|x|) is below 2e-9. Absolute error
// below 2.5e-7 for |x| < 9, relative error below 1.3e-7 for x > 0.
template <typename V>
inline typename V::Reg gelu_lanes(typename V::Reg x) {
  const typename V::Reg t = V::min(V::set1(6.2F), V::abs(x));
  typename V::Reg l = V::set1(3.030125128589134e-08F);
  l = V::fma(l, t, V::set1(-9.000506224765559e-07F));
  l = V::fma(l, t, V::set1(1.1416257621021941e-05F));
  l = V::fma(l, t, V::set1(-7.890784763731062e-05F));
  l = V::fma(l, t, V::set1(0.00028683856362476945F));
  l = V::fma(l, t, V::set1(-1.1115696906927042e-05F));
  l = V::fma(l, t, V::set1(-0.0069386642426252365F));
  l = V::fma(l, t, V::set1(0.052439384162425995F));
  l = V::fma(l, t, V::set1(0.45922034978866577F));
  l = V::fma(l, t, V::set1(1.1511043310165405F));
  const typename V::Reg twice_q = exp2_lanes<V>(V::sub(V::zero(), V::mul(t, l)));
  return V::sub(V::max(V::zero(), x), V::mul(V::mul(V::set1(0.5F), t), twice_q));
}

}  // namespace
}  // namespace crane::kernels
