#include "layers/linear.h"

#include <c10/core/InferenceMode.h>

#include "tensors/shared_tensors.h"

namespace crane::layers {

at::Tensor Linear::rows(const at::Tensor& x, int64_t from, int64_t to) const {
  return at::linear(x, weight.slice(0, from, to), bias.defined() ? bias.slice(0, from, to) : bias);
}

at::Tensor TensorLoader::load(const weights::CanonicalTensor& tensor) {
  const auto read = [&] {
    // Whoever shares it may train.
    const c10::InferenceMode inference(false);
    at::Tensor host = at::empty(tensor.shape, at::TensorOptions().dtype(at::kFloat));
    weights::read_f32(tensor, host.data_ptr<float>());
    return host;
  };
  parameters_ += tensor.numel();
  return device_.is_cpu() ? shared_tensor(tensor.identity(), read) : read().to(device_);
}

at::Tensor TensorLoader::required(const std::string& name) { return load(weights_.at(name)); }

at::Tensor TensorLoader::optional(const std::string& name) {
  const weights::CanonicalTensor* tensor = weights_.find(name);
  return tensor ? load(*tensor) : at::Tensor();
}

Linear TensorLoader::linear(const std::string& prefix) {
  return {required(prefix + ".weight"), optional(prefix + ".bias")};
}

LayerNorm TensorLoader::layer_norm(const std::string& prefix, double eps) {
  if (!has(prefix + ".weight")) return {{}, {}, eps};
  return {required(prefix + ".weight"), required(prefix + ".bias"), eps};
}

at::Tensor unit_rows(const at::Tensor& x) { return x / x.norm(2, /*dim=*/-1, /*keepdim=*/true); }

}  // namespace crane::layers
