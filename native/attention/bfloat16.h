// The definition of attention with bfloat16 products, in float32 tensors: queries, keys and values are
// rounded, softmax and sums are float32, the normalised weights (added over the softmaxes) are rounded, and
// each row is divided by the sum of its rounded weights over the number of softmaxes.
#pragma once

#include "attention/kinds.h"
#include "tensors/torch_headers.h"

namespace crane::attention {

// Shapes as in plain.h and self_correlation.h.
at::Tensor plain_attention_bfloat16_ref(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                        double scale, bool causal);
at::Tensor self_correlation_bfloat16_ref(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                         SelfSet set, double scale);

}  // namespace crane::attention
