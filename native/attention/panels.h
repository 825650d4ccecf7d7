// The panel kernels of kernels/attention_panels.h on tensors.
#pragma once

#include "attention/kinds.h"
#include "kernels/attention_panels.h"
#include "tensors/torch_headers.h"

namespace crane::attention {

// Whether the panel kernels cover these tensors: float32 on the CPU (those for bfloat16 round what they
// multiply), heads 64 wide, and no gradient is wanted.
bool fits_panels(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v);

// q [B, H, M, 64], k and v [B, H, N, 64] -> [B, H, M, 64], lying in memory as [B, M, H, 64].
at::Tensor plain_panels(const kernels::AttentionFace& face, const at::Tensor& q, const at::Tensor& k,
                        const at::Tensor& v, double scale);

// q, k, v [B, H, N, 64] -> the same.
at::Tensor self_panels(const kernels::AttentionFace& face, const at::Tensor& q, const at::Tensor& k,
                       const at::Tensor& v, SelfSet set, double scale);

}  // namespace crane::attention
