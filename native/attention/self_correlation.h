// Attention of a block's queries, keys or values with themselves (method.md 3, "a_self").
#pragma once

#include <span>

#include "attention/face.h"
#include "attention/kinds.h"
#include "tensors/torch_headers.h"

namespace crane::attention {

// q, k, v [B, H, N, d] -> [ sum over s in set of softmax(s s^T c) ] v, [B, H, N, d]. `scale` is c.
using SelfCorrelation = at::Tensor(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, SelfSet set,
                                   double scale);
using SelfCorrelationFits = bool(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, SelfSet set);
using SelfCorrelationFace = Face<SelfCorrelation, SelfCorrelationFits>;

std::span<const SelfCorrelationFace> self_correlation_faces(Precision precision = Precision::float32);

at::Tensor self_correlation(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, SelfSet set,
                            double scale, Precision precision = Precision::float32);

}  // namespace crane::attention
