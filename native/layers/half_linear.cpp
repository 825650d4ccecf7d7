#include "layers/half_linear.h"

#include <c10/core/DeviceGuard.h>

#include "cuda/tensors.h"
#include "layers/block.h"
#include "layers/rows_cuda.h"

namespace crane::layers {
namespace {

bool fits_rows(const at::Tensor& x) {
  return cuda::has_kernels(x.device()) && x.scalar_type() == at::kFloat && x.dim() == 2 && x.stride(1) == 1 &&
         x.stride(0) % 4 == 0 && x.size(1) % 4 == 0 &&
         reinterpret_cast<uintptr_t>(x.const_data_ptr()) % 16 == 0;
}

void activate_in_place(at::Tensor& x, Activation activation) {
  if (!cuda::has_kernels(x.device()) || !x.is_contiguous() || x.numel() % 4 != 0) {
    x = activate(x, activation);
    return;
  }
  const c10::DeviceGuard guard(x.device());
  const ActivateCuda job{x.mutable_data_ptr(), x.numel(), activation == Activation::quick_gelu};
  cuda::kernels()->activate(job, *cuda::element_of(x), cuda::current_stream(x.device()));
}

}  // namespace

at::Tensor half_rows(const at::Tensor& x, const LayerNorm* norm, at::ScalarType type) {
  if (norm == nullptr) return x.to(type);
  if (!fits_rows(x) || x.size(1) > k_widest_row_cuda) return (*norm)(x).to(type);
  const c10::DeviceGuard guard(x.device());
  at::Tensor dst = at::empty({x.size(0), x.size(1)}, x.options().dtype(type));
  NormaliseRowsCuda job;
  job.src = x.const_data_ptr<float>();
  job.src_stride = x.stride(0);
  job.weight = norm->weight.const_data_ptr<float>();
  job.bias = norm->bias.const_data_ptr<float>();
  job.eps = static_cast<float>(norm->eps);
  job.dst = dst.mutable_data_ptr();
  job.rows = x.size(0);
  job.width = x.size(1);
  cuda::kernels()->normalise_rows(job, *cuda::element_of(dst), cuda::current_stream(x.device()));
  return dst;
}

HalfLinear::HalfLinear(const Linear& plain, const at::Tensor& scale, Precision precision)
    : weight_(plain.weight), bias_(plain.bias) {
  if (scale.defined()) {
    weight_ = weight_ * scale.unsqueeze(1);
    if (bias_.defined()) bias_ = bias_ * scale;
  }
  const at::ScalarType type = cuda::scalar_type_of(precision);
  weight_ = weight_.to(type);
  if (bias_.defined()) bias_ = bias_.to(type);
}

at::Tensor HalfLinear::operator()(const at::Tensor& x, const LayerNorm* norm,
                                  std::optional<Activation> activation) const {
  at::Tensor y = at::linear(half_rows(x, norm, weight_.scalar_type()), weight_, bias_);
  if (activation) activate_in_place(y, *activation);
  return y;
}

at::Tensor HalfLinear::columns(const at::Tensor& x, const LayerNorm* norm, int64_t from, int64_t to) const {
  return at::linear(half_rows(x, norm, weight_.scalar_type()), weight_.slice(0, from, to),
                    bias_.defined() ? bias_.slice(0, from, to) : bias_);
}

void HalfLinear::add_to(const at::Tensor& stream, const at::Tensor& x) const {
  const at::Tensor update = (*this)(x, nullptr, std::nullopt);
  if (!fits_rows(stream) || !update.is_contiguous()) {
    stream.add_(update);
    return;
  }
  const c10::DeviceGuard guard(stream.device());
  const AddRowsCuda job{stream.mutable_data_ptr<float>(), stream.stride(0), update.const_data_ptr(),
                        stream.size(0), stream.size(1)};
  cuda::kernels()->add_rows(job, *cuda::element_of(update), cuda::current_stream(stream.device()));
}

}  // namespace crane::layers
