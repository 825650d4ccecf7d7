#include "attention/plain.h"

#include <limits>

namespace crane::attention {
namespace {

at::Tensor plain_attention_ref(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, double scale,
                               bool causal) {
  at::Tensor scores = at::matmul(q * scale, k.transpose(-2, -1));  // [B, H, M, N]
  if (causal) {
    const at::Tensor hidden =
        at::ones({scores.size(-2), scores.size(-1)}, scores.options().dtype(at::kBool)).triu(/*diagonal=*/1);
    scores = scores.masked_fill(hidden, -std::numeric_limits<double>::infinity());
  }
  return at::matmul(at::softmax(scores, /*dim=*/-1), v);
}

// libtorch's fused kernel works on panels of rows and never writes the [M, N] matrix.
at::Tensor plain_attention_fused(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, double scale,
                                 bool causal) {
  return at::scaled_dot_product_attention(q, k, v, /*attn_mask=*/{}, /*dropout_p=*/0.0, causal, scale);
}

constexpr Face<PlainAttention> k_plain_attention_faces[] = {
    {"fused", plain_attention_fused},
    {"ref", plain_attention_ref},
};

}  // namespace

std::span<const Face<PlainAttention>> plain_attention_faces() { return k_plain_attention_faces; }

at::Tensor plain_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, double scale,
                           bool causal) {
  return chosen_face(plain_attention_faces()).run(q, k, v, scale, causal);
}

}  // namespace crane::attention
