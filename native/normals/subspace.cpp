#include "normals/subspace.h"

#include <ATen/ops/linalg_eigh.h>
#include <ATen/ops/mm.h>

#include "core/cancel.h"
#include "core/error.h"

namespace crane::normals {
namespace {

constexpr double k_step = 1.0 / (1 << 28);

}  // namespace

at::Tensor moments_of(const at::Tensor& rows) {
  CRANE_CHECK_INVARIANT(rows.dim() == 2, "moments of ", rows.sizes());
  const at::Tensor values = rows.to(at::kDouble);
  const at::Tensor moments = at::cat({values.sum(/*dim=*/0, /*keepdim=*/true), at::mm(values.t(), values)});
  return ((moments / k_step).round() * k_step).cpu();
}

Subspace subspace_of(const at::Tensor& moments, int64_t count, double variance, at::Device device) {
  const int64_t depth = moments.size(1);
  CRANE_CHECK_INVARIANT(moments.dim() == 2 && moments.size(0) == depth + 1 && count > 0, "a subspace of ",
                        count, " rows with moments ", moments.sizes());
  check_shutdown();
  const at::Tensor mean = moments[0] / static_cast<double>(count);
  const at::Tensor covariance =
      moments.slice(0, 1) / static_cast<double>(count) - mean.unsqueeze(1) * mean.unsqueeze(0);
  const auto [rising, axes] = at::linalg_eigh(covariance);
  // What roundings make negative is no variance.
  const at::Tensor variances = rising.clamp_min(0);
  const double all = variances.sum().item<double>();
  const auto* of_axis = variances.const_data_ptr<double>();
  int64_t kept = 0;
  for (double sum = 0; kept < depth && sum < variance * all; ++kept) sum += of_axis[depth - 1 - kept];
  return {mean.to(device), axes.slice(1, 0, depth - kept).contiguous().to(device)};
}

at::Tensor residuals(const at::Tensor& rows, const Subspace& subspace) {
  const at::Tensor off = at::mm(rows.to(at::kDouble) - subspace.mean, subspace.across);
  return (off.square().sum(/*dim=*/1) / 4).clamp(0, 1).to(at::kFloat);
}

}  // namespace crane::normals
