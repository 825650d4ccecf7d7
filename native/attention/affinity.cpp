#include "attention/affinity.h"

#include <ATen/Parallel.h>

#include <limits>

#include "attention/on_cuda.h"
#include "kernels/affinity_panels.h"
#include "tensors/team.h"

namespace crane::attention {
namespace {

constexpr double k_minus_infinity = -std::numeric_limits<double>::infinity();

// One picture's weights [n, n] from z [n, C] (method.md 4).
at::Tensor affinity_weights(const at::Tensor& z, double mean, const AffinityOptions& options, Trace* trace) {
  const at::Tensor cosine = at::mm(z, z.t());
  at::Tensor affine = (cosine - options.beta * mean) * options.gain;
  if (trace) {
    trace->record("cosine", cosine.unsqueeze(0));
    trace->record("affine", affine.unsqueeze(0));
    trace->record("min_abs_affine", affine.abs().min().reshape({1}));
  }
  const at::Tensor dropped = affine < 0;
  at::Tensor masked = affine.masked_fill(dropped, k_minus_infinity);
  if (trace) {
    const at::Tensor kept = at::logical_not(dropped);
    trace->record("masked", masked.unsqueeze(0));
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

namespace {

at::Tensor affinity_ref(const at::Tensor& features, const at::Tensor& means, const at::Tensor& values,
                        const AffinityOptions& options, Trace* trace) {
  at::Tensor dst = at::empty_like(values);
  for (int64_t b = 0; b < features.size(0); ++b) {
    const at::Tensor weights = affinity_weights(features[b], means[b].item<double>(), options, trace);
    if (trace) trace->record("weights", weights.unsqueeze(0));
    dst[b].copy_(at::mm(weights, values[b].to(weights.scalar_type())));
  }
  return dst;
}

at::Tensor affinity_panels(const kernels::AffinityFace& face, const at::Tensor& features,
                           const at::Tensor& means, const at::Tensor& values,
                           const AffinityOptions& options) {
  const at::Tensor rows = features.contiguous();
  const at::Tensor dst = at::empty(values.sizes(), values.options());
  for (int64_t b = 0; b < rows.size(0); ++b) {
    kernels::AffinityPanels job;
    job.features = rows.const_data_ptr<float>() + b * rows.stride(0);
    job.count = rows.size(1);
    job.depth = rows.size(2);
    job.shift = static_cast<float>(options.beta * means[b].item<double>());
    job.gain = static_cast<float>(options.gain);
    job.values = values.const_data_ptr<float>() + b * values.stride(0);
    job.values_stride = values.stride(1);
    job.width = values.size(2);
    job.keeps_self = options.empty_rows == EmptyRows::keep_self;
    job.dst = dst.mutable_data_ptr<float>() + b * dst.stride(0);
    const at::Tensor packed = at::empty({face.packed_floats(job)}, rows.options());
    job.packed = packed.mutable_data_ptr<float>();
    run_on_team(face.tiles(job), [&](int64_t first, int64_t last) { face.pack(job, first, last); });
    const int64_t piece = face.panels(job) / (int64_t{8} * at::get_num_threads());
    run_in_pieces(face.panels(job), piece, [&](int64_t first, int64_t last) { face.run(job, first, last); });
  }
  return dst;
}

bool fits_affinity_panels(const kernels::AffinityFace& panels, const at::Tensor& features,
                          const at::Tensor& values, const Trace* trace) {
  const auto is_plain = [](const at::Tensor& x) { return x.is_cpu() && x.scalar_type() == at::kFloat; };
  return trace == nullptr && is_plain(features) && is_plain(values) && values.stride(2) == 1 &&
         values.size(2) % panels.channels == 0;
}

const AffinityAttentionFace k_operators[] = {
    {"cuda", affinity_on_cuda, fits_affinity_on_cuda},
    {"ref", affinity_ref},
};

std::vector<AffinityAttentionFace> all_faces() {
  const auto of_panels = [](const kernels::AffinityFace& panels, AffinityAttentionFace& face) {
    face.run = [&panels](const at::Tensor& features, const at::Tensor& means, const at::Tensor& values,
                         const AffinityOptions& options, Trace* /*trace*/) {
      return affinity_panels(panels, features, means, values, options);
    };
    face.fits = [&panels](const at::Tensor& features, const at::Tensor& values, const Trace* trace) {
      return fits_affinity_panels(panels, features, values, trace);
    };
  };
  return faces_by_table<kernels::AffinityFace>("affinity", Precision::float32, of_panels,
                                               std::span<const AffinityAttentionFace>(k_operators));
}

}  // namespace

std::span<const AffinityAttentionFace> affinity_attention_faces() {
  static const auto faces = all_faces();
  return faces;
}

at::Tensor affinity_attention(const at::Tensor& features, const at::Tensor& means, const at::Tensor& values,
                              const AffinityOptions& options, Trace* trace) {
  const AffinityAttentionFace& face =
      face_for("affinity", Precision::float32, affinity_attention_faces(), features, values, trace);
  return face.run(features, means, values, options, trace);
}

}  // namespace crane::attention
