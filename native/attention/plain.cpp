#include "attention/plain.h"

#include <limits>

#include "attention/bfloat16.h"
#include "attention/panels.h"
#include "cuda/tensors.h"

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

const PlainAttentionFace k_float32_operators[] = {{"fused", plain_attention_fused},
                                                  {"ref", plain_attention_ref}};
const PlainAttentionFace k_bfloat16_operators[] = {{"ref", plain_attention_bfloat16_ref}};

std::vector<PlainAttentionFace> faces_at(Precision precision, std::span<const PlainAttentionFace> operators) {
  const auto of_panels = [](const kernels::AttentionFace& panels, PlainAttentionFace& face) {
    face.run = [&panels](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, double scale,
                         bool /*causal*/) { return plain_panels(panels, q, k, v, scale); };
    face.fits = [](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, bool causal) {
      return !causal && fits_panels(q, k, v);
    };
  };
  return faces_by_table<kernels::AttentionFace>("attention", precision, of_panels, operators);
}

}  // namespace

std::span<const PlainAttentionFace> plain_attention_faces(Precision precision) {
  static const auto float32 = faces_at(Precision::float32, k_float32_operators);
  static const auto bfloat16 = faces_at(Precision::bfloat16, k_bfloat16_operators);
  static const auto int8 = faces_at(Precision::int8, k_bfloat16_operators);
  if (precision == Precision::int8) return int8;
  return precision == Precision::bfloat16 ? bfloat16 : float32;
}

at::Tensor plain_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, double scale,
                           bool causal, Precision precision) {
  // On a GPU the tensors' own type says it.
  const Precision own = cuda::has_kernels(q.device()) ? Precision::float32 : precision;
  return face_for("attention", own, plain_attention_faces(own), q, k, v, causal).run(q, k, v, scale, causal);
}

}  // namespace crane::attention
