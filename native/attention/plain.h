// softmax(q k^T c) v, the attention of every transformer block.
#pragma once

#include <span>

#include "attention/face.h"
#include "tensors/torch_headers.h"

namespace crane::attention {

// q [B, H, M, d], k and v [B, H, N, d] -> [B, H, M, d]. `causal` (M == N) hides later rows from earlier ones.
// `scale` is c, usually d^-0.5. Pictures of a batch never share a matrix product on the CPU.
using PlainAttention = at::Tensor(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, double scale,
                                  bool causal);
using PlainAttentionFits = bool(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, bool causal);
using PlainAttentionFace = Face<PlainAttention, PlainAttentionFits>;

std::span<const PlainAttentionFace> plain_attention_faces(Precision precision = Precision::float32);

at::Tensor plain_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, double scale,
                           bool causal = false, Precision precision = Precision::float32);

}  // namespace crane::attention
