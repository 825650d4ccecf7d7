#include "attention/affinity.h"

#include <limits>

namespace crane::attention {
namespace {

constexpr double k_minus_infinity = -std::numeric_limits<double>::infinity();

// One picture's weights [n, n] from z [n, C] (method.md 4).
at::Tensor affinity_weights(const at::Tensor& z, double mean, const AffinityOptions& options, Trace* trace) {
  const at::Tensor cosine = at::mm(z, z.t());
  at::Tensor affine = (cosine - options.beta * mean) * options.gain;
  if (trace) {
    trace->record("stage.dattn.cosine", cosine.unsqueeze(0));
    trace->record("stage.dattn.affine", affine.unsqueeze(0));
    trace->record("min_abs_affine", affine.abs().min().reshape({1}));
  }
  const at::Tensor dropped = affine < 0;
  at::Tensor masked = affine.masked_fill(dropped, k_minus_infinity);
  if (trace) {
    const at::Tensor kept = at::logical_not(dropped);
    trace->record("stage.dattn.masked", masked.unsqueeze(0));
    trace->record("kept_per_row", kept.sum(/*dim=*/-1).to(at::kFloat));
    trace->record("kept_fraction", kept.to(at::kDouble).mean().to(at::kFloat).reshape({1}));
  }
  if (options.empty_rows == EmptyRows::keep_self) {
    const at::Tensor is_empty = dropped.all(/*dim=*/-1);  // [n]
    at::Tensor diagonal = masked.diagonal();
    diagonal.masked_fill_(is_empty, 0.0);
  }
  return at::softmax(masked, /*dim=*/-1);
}

}  // namespace

at::Tensor cosine_means(const at::Tensor& features) {
  const double n = static_cast<double>(features.size(1));
  return features.to(at::kDouble).sum(/*dim=*/1).square().sum(/*dim=*/-1) / (n * n);
}

at::Tensor affinity_attention(const at::Tensor& features, const at::Tensor& means, const at::Tensor& values,
                              const AffinityOptions& options, Trace* trace) {
  at::Tensor dst = at::empty_like(values);
  for (int64_t b = 0; b < features.size(0); ++b) {
    const at::Tensor weights = affinity_weights(features[b], means[b].item<double>(), options, trace);
    if (trace) trace->record("stage.dattn.weights", weights.unsqueeze(0));
    dst[b].copy_(at::mm(weights, values[b]));
  }
  return dst;
}

}  // namespace crane::attention
