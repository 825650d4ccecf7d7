// The kernels of a GPU on tensors: faces of self_correlation.h and affinity.h.
#pragma once

#include "attention/affinity.h"
#include "attention/kinds.h"
#include "tensors/torch_headers.h"

namespace crane::attention {

// q, k, v [B, H, N, 64] bfloat16 or half -> [B, H, N, 64], lying in memory as [B, N, H, 64].
at::Tensor self_correlation_on_cuda(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                    SelfSet set, double scale);
bool fits_self_correlation_on_cuda(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                   SelfSet set);

// features float32, values bfloat16 or half, otherwise as affinity_attention. Reads nothing back to the host.
at::Tensor affinity_on_cuda(const at::Tensor& features, const at::Tensor& means, const at::Tensor& values,
                            const AffinityOptions& options, Trace* trace);
bool fits_affinity_on_cuda(const at::Tensor& features, const at::Tensor& values, const Trace* trace);

}  // namespace crane::attention
