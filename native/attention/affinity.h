// Attention whose weights come from another model's features: a masked softmax of their cosines
// (method.md 4, S and W_D).
#pragma once

#include <span>

#include "attention/face.h"
#include "attention/kinds.h"
#include "tensors/torch_headers.h"
#include "tensors/trace.h"

namespace crane::attention {

struct AffinityOptions {
  double beta = 1.2;  // how often the mean cosine is subtracted
  double gain = 3.0;  // sharpness of the softmax
  EmptyRows empty_rows = EmptyRows::keep_self;
};

// features [B, n, C] with rows of length one. mean of all n*n cosines of each picture, [B] float64, by the
// closed form |sum_i z_i|^2 / n^2.
at::Tensor cosine_means(const at::Tensor& features);

// features [B, n, C] unit rows, means [B] float64, values [B, n, W] -> [B, n, W].
// With a trace the definition runs, since its stages are the [n, n] matrices: "cosine", "affine", "masked",
// "weights", and what the mask did: "min_abs_affine", "kept_per_row", "kept_fraction".
using AffinityAttention = at::Tensor(const at::Tensor& features, const at::Tensor& means,
                                     const at::Tensor& values, const AffinityOptions& options, Trace* trace);
using AffinityAttentionFits = bool(const at::Tensor& features, const at::Tensor& values, const Trace* trace);
using AffinityAttentionFace = Face<AffinityAttention, AffinityAttentionFits>;

std::span<const AffinityAttentionFace> affinity_attention_faces();

at::Tensor affinity_attention(const at::Tensor& features, const at::Tensor& means, const at::Tensor& values,
                              const AffinityOptions& options, Trace* trace);

}  // namespace crane::attention
