#include "attention/bfloat16.h"

#include <cmath>
#include <limits>
#include <vector>

namespace crane::attention {
namespace {

at::Tensor rounded(const at::Tensor& x) { return x.to(at::kBFloat16).to(at::kFloat); }

// weights: a sum of `softmaxes` rows that each add up to 1.
at::Tensor product(const at::Tensor& weights, double softmaxes, const at::Tensor& v) {
  const at::Tensor w = rounded(weights);
  return at::matmul(w, rounded(v)) * (softmaxes / w.sum(/*dim=*/-1, /*keepdim=*/true));
}

}  // namespace

at::Tensor plain_attention_bfloat16_ref(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                        double scale, bool causal) {
  at::Tensor scores = at::matmul(rounded(q), rounded(k).transpose(-2, -1)) * scale;
  if (causal) {
    const at::Tensor hidden =
        at::ones({scores.size(-2), scores.size(-1)}, scores.options().dtype(at::kBool)).triu(/*diagonal=*/1);
    scores = scores.masked_fill(hidden, -std::numeric_limits<double>::infinity());
  }
  return product(at::softmax(scores, /*dim=*/-1), 1, v);
}

at::Tensor self_correlation_bfloat16_ref(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                         SelfSet set, double scale) {
  const auto scores = [](const at::Tensor& s) {
    const at::Tensor r = rounded(s);
    return at::matmul(r, r.transpose(-2, -1));
  };
  if (set.joined) {
    return product(at::softmax((scores(q) + scores(k) + scores(v)) * (scale / std::sqrt(3.0)), /*dim=*/-1), 1,
                   v);
  }
  std::vector<at::Tensor> members;
  if (set.q) members.push_back(q);
  if (set.k) members.push_back(k);
  if (set.v) members.push_back(v);
  at::Tensor weights;
  for (const at::Tensor& s : members) {
    const at::Tensor share = at::softmax(scores(s) * scale, /*dim=*/-1);
    weights = weights.defined() ? weights + share : share;
  }
  return product(weights, static_cast<double>(members.size()), v);
}

}  // namespace crane::attention
