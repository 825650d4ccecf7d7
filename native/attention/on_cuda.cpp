#include "attention/on_cuda.h"

#include <c10/core/DeviceGuard.h>

#include "attention/affinity_cuda.h"
#include "attention/self_correlation_cuda.h"
#include "cuda/tensors.h"

namespace crane::attention {
namespace {

// What the kernels' copies of 16 bytes need.
bool is_aligned(const at::Tensor& x) {
  if (reinterpret_cast<uintptr_t>(x.const_data_ptr()) % 16 != 0 || x.stride(-1) != 1) return false;
  for (int64_t axis = 0; axis + 1 < x.dim(); ++axis) {
    if (x.stride(axis) % 8 != 0) return false;
  }
  return true;
}

HeadRowsCuda rows_of(const at::Tensor& x) {
  return {x.const_data_ptr(), x.stride(0), x.stride(2), x.stride(1)};
}

}  // namespace

bool fits_self_correlation_on_cuda(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                   SelfSet /*set*/) {
  const auto fits = [](const at::Tensor& x) {
    return cuda::element_of(x).has_value() && x.size(3) == 64 && is_aligned(x);
  };
  return cuda::has_kernels(q.device()) && fits(q) && fits(k) && fits(v);
}

at::Tensor self_correlation_on_cuda(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                    SelfSet set, double scale) {
  const c10::DeviceGuard guard(q.device());
  const at::Tensor dst = at::empty({q.size(0), q.size(2), q.size(1), q.size(3)}, q.options());
  SelfCorrelationCuda job;
  job.is_joined = set.joined;
  if (set.joined || set.q) job.members[job.member_count++] = rows_of(q);
  if (set.joined || set.k) job.members[job.member_count++] = rows_of(k);
  if (set.joined || set.v) job.members[job.member_count++] = rows_of(v);
  job.values = rows_of(v);
  job.pictures = q.size(0);
  job.heads = q.size(1);
  job.rows = q.size(2);
  job.scale = static_cast<float>(set.joined ? scale / std::sqrt(3.0) : scale);
  job.dst = dst.mutable_data_ptr();
  job.dst_picture_stride = dst.stride(0);
  job.dst_row_stride = dst.stride(1);
  cuda::kernels()->self_correlation(job, *cuda::element_of(q), cuda::current_stream(q.device()));
  return dst.transpose(1, 2);
}

bool fits_affinity_on_cuda(const at::Tensor& features, const at::Tensor& values, const Trace* trace) {
  return trace == nullptr && cuda::has_kernels(values.device()) && cuda::element_of(values).has_value() &&
         is_aligned(values) && features.size(2) % 64 == 0 && values.size(2) % 8 == 0;
}

at::Tensor affinity_on_cuda(const at::Tensor& features, const at::Tensor& means, const at::Tensor& values,
                            const AffinityOptions& options, Trace* /*trace*/) {
  const c10::DeviceGuard guard(values.device());
  const at::Tensor rows = features.to(at::kHalf).contiguous();
  const at::Tensor shifts = means.to(at::kDouble).contiguous();
  const at::Tensor dst = at::empty(values.sizes(), values.options());
  AffinityCuda job;
  job.features = rows.const_data_ptr();
  job.pictures = rows.size(0);
  job.rows = rows.size(1);
  job.depth = rows.size(2);
  job.means = shifts.const_data_ptr<double>();
  job.beta = options.beta;
  job.gain = static_cast<float>(options.gain);
  job.keeps_self = options.empty_rows == EmptyRows::keep_self;
  job.values = values.const_data_ptr();
  job.values_picture_stride = values.stride(0);
  job.values_row_stride = values.stride(1);
  job.width = values.size(2);
  job.dst = dst.mutable_data_ptr();
  cuda::kernels()->affinity(job, *cuda::element_of(values), cuda::current_stream(values.device()));
  return dst;
}

}  // namespace crane::attention
