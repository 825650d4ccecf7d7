#include "attention/self_correlation.h"

#include <cmath>

#include "attention/bfloat16.h"
#include "attention/on_cuda.h"
#include "attention/panels.h"
#include "cuda/tensors.h"

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
    const at::Tensor share = at::scaled_dot_product_attention(s, s, v, /*attn_mask=*/{}, /*dropout_p=*/0.0,
                                                              /*is_causal=*/false, scale);
    sum = sum.defined() ? sum + share : share;  // not in place: a gradient needs each share
  }
  return sum;
}

const SelfCorrelationFace k_float32_operators[] = {
    {"cuda", self_correlation_on_cuda, fits_self_correlation_on_cuda},
    {"fused", self_correlation_fused},
    {"ref", self_correlation_ref},
};
const SelfCorrelationFace k_bfloat16_operators[] = {{"ref", self_correlation_bfloat16_ref}};

std::vector<SelfCorrelationFace> faces_at(Precision precision,
                                          std::span<const SelfCorrelationFace> operators) {
  const auto of_panels = [](const kernels::AttentionFace& panels, SelfCorrelationFace& face) {
    face.run = [&panels](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, SelfSet set,
                         double scale) { return self_panels(panels, q, k, v, set, scale); };
    face.fits = [](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, SelfSet) {
      return fits_panels(q, k, v);
    };
  };
  return faces_by_table<kernels::AttentionFace>("attention", precision, of_panels, operators);
}

}  // namespace

std::span<const SelfCorrelationFace> self_correlation_faces(Precision precision) {
  static const auto float32 = faces_at(Precision::float32, k_float32_operators);
  static const auto bfloat16 = faces_at(Precision::bfloat16, k_bfloat16_operators);
  static const auto int8 = faces_at(Precision::int8, k_bfloat16_operators);
  if (precision == Precision::int8) return int8;
  return precision == Precision::bfloat16 ? bfloat16 : float32;
}

at::Tensor self_correlation(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, SelfSet set,
                            double scale, Precision precision) {
  // On a GPU the tensors' own type says it.
  const Precision own = cuda::has_kernels(q.device()) ? Precision::float32 : precision;
  return face_for("attention", own, self_correlation_faces(own), q, k, v, set).run(q, k, v, set, scale);
}

}  // namespace crane::attention
