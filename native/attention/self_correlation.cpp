#include "attention/self_correlation.h"

#include <cmath>

#include "attention/plain.h"

namespace crane::attention {
namespace {

struct Correlated {
  std::vector<at::Tensor> members;
  double scale;
};

Correlated correlated(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, SelfSet set,
                      double scale) {
  if (set.joined) return {{at::cat({q, k, v}, /*dim=*/-1)}, scale / std::sqrt(3.0)};
  Correlated result{{}, scale};
  if (set.q) result.members.push_back(q);
  if (set.k) result.members.push_back(k);
  if (set.v) result.members.push_back(v);
  return result;
}

// The definition: add the softmaxes, then one product with v.
at::Tensor self_correlation_ref(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, SelfSet set,
                                double scale) {
  const Correlated chosen = correlated(q, k, v, set, scale);
  at::Tensor weights;
  for (const at::Tensor& s : chosen.members) {
    const at::Tensor share = at::softmax(at::matmul(s * chosen.scale, s.transpose(-2, -1)), /*dim=*/-1);
    weights = weights.defined() ? weights + share : share;
  }
  return at::matmul(weights, v);
}

// (A + B + C) v = A v + B v + C v: three fused passes never write an [N, N] matrix. The fused kernel needs
// equal head widths, so the joined kind takes the definition.
at::Tensor self_correlation_fused(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, SelfSet set,
                                  double scale) {
  if (set.joined) return self_correlation_ref(q, k, v, set, scale);
  at::Tensor sum;
  for (const at::Tensor& s : correlated(q, k, v, set, scale).members) {
    const at::Tensor share = plain_attention(s, s, v, scale);
    sum = sum.defined() ? sum.add_(share) : share;
  }
  return sum;
}

constexpr Face<SelfCorrelation> k_self_correlation_faces[] = {
    {"fused", self_correlation_fused},
    {"ref", self_correlation_ref},
};

}  // namespace

std::span<const Face<SelfCorrelation>> self_correlation_faces() { return k_self_correlation_faces; }

at::Tensor self_correlation(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, SelfSet set,
                            double scale) {
  return chosen_face(self_correlation_faces()).run(q, k, v, set, scale);
}

}  // namespace crane::attention
