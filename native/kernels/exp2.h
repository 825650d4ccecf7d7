// 2^x for every lane; included by the kernels' files only.
#pragma once

namespace crane::kernels {
namespace {

// Relative error below 0.94 ulp where the result is normal. x = -inf gives 0, NaN stays. 2^f = polynomial for
// f in
// [-1/2, 1/2]: the one of degree 6 whose largest relative error (1.9e-9) is least.
template <typename V>
inline typename V::Reg exp2_lanes(typename V::Reg x) {
  x = V::exponent_in_range(x);
  const typename V::Reg n = V::round(x);
  const typename V::Reg f = V::sub(x, n);
  typename V::Reg p = V::set1(0x1.41d334p-13F);
  p = V::fma(p, f, V::set1(0x1.5f456ap-10F));
  p = V::fma(p, f, V::set1(0x1.3b2dbcp-7F));
  p = V::fma(p, f, V::set1(0x1.c6aed4p-5F));
  p = V::fma(p, f, V::set1(0x1.ebfbdap-3F));
  p = V::fma(p, f, V::set1(0x1.62e430p-1F));
  p = V::fma(p, f, V::set1(1.0F));
  return V::scale(p, n);
}

// 2^f for f in [0, 1) with a relative error below 2.7e-6: the polynomial of degree 4 whose largest relative
// error is least.
template <typename V>
inline typename V::Reg short_exp2_of_fraction(typename V::Reg f) {
  typename V::Reg p = V::set1(0x1.bb7cd4p-7F);
  p = V::fma(p, f, V::set1(0x1.aa13f0p-5F));
  p = V::fma(p, f, V::set1(0x1.ee798ap-3F));
  p = V::fma(p, f, V::set1(0x1.62d166p-1F));
  return V::fma(p, f, V::set1(0x1.00002cp+0F));
}

}  // namespace
}  // namespace crane::kernels
