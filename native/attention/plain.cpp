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

#if defined(__x86_64__)
bool fits_plain_panels(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, bool causal) {
  return !causal && fits_panels(q, k, v);
}
#endif

constexpr PlainAttentionFace k_plain_attention_faces[] = {
#if defined(__x86_64__)
    {"avx512", plain_panels_avx512, fits_plain_panels},
    {"avx2", plain_panels_avx2, fits_plain_panels},
#endif
    {"fused", plain_attention_fused, nullptr},
    {"ref", plain_attention_ref, nullptr},
};

constexpr PlainAttentionFace k_bfloat16_faces[] = {
#if defined(__x86_64__)
    {"avx512bf16", plain_panels_avx512bf16, fits_plain_panels},
#endif
    {"ref", plain_attention_bfloat16_ref, nullptr},
};

}  // namespace

std::span<const PlainAttentionFace> plain_attention_faces(Precision precision) {
  if (precision == Precision::bfloat16) return k_bfloat16_faces;
  return k_plain_attention_faces;
}

at::Tensor plain_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, double scale,
                           bool causal, Precision precision) {
  // On a GPU the tensors' own type says it.
  const Precision own = cuda::has_kernels(q.device()) ? Precision::float32 : precision;
  return face_for("attention", own, plain_attention_faces(own), q, k, v, causal).run(q, k, v, scale, causal);
}

}  // namespace crane::attention
