// The two layers every tower is made of, as they come out of a weight file.
#pragma once

#include <string>

#include "tensors/torch_headers.h"
#include "weights/name_map.h"

namespace crane::layers {

class PackedWeights;

// y = x W^T + b; weight [out, in], bias [out] or undefined.
struct Linear {
  at::Tensor weight;
  at::Tensor bias;

  at::Tensor operator()(const at::Tensor& x) const { return at::linear(x, weight, bias); }
  // Only rows [from, to) of the output, for instance the values of a qkv projection.
  at::Tensor rows(const at::Tensor& x, int64_t from, int64_t to) const;
};

struct LayerNorm {
  at::Tensor weight;
  at::Tensor bias;
  double eps = 1e-5;

  at::Tensor operator()(const at::Tensor& x) const {
    return at::layer_norm(x, {x.size(-1)}, weight, bias, eps);
  }
  bool defined() const { return weight.defined(); }
};

// Reads canonical tensors into float32 tensors on one device and counts what they take.
class TensorLoader {
 public:
  // packed: where layers that are packed (frozen_linear.h) may lie already and are kept; may be null.
  TensorLoader(const weights::CanonicalWeights& weights, at::Device device, PackedWeights* packed = nullptr)
      : weights_(weights), device_(device), packed_(packed) {}

  // Errors: E_WEIGHTS_MISSING, E_WEIGHTS_NONFINITE, E_WEIGHTS_DTYPE.
  at::Tensor required(const std::string& name);
  // Undefined when the file has no such tensor.
  at::Tensor optional(const std::string& name);
  Linear linear(const std::string& prefix);                     // prefix.weight, prefix.bias
  LayerNorm layer_norm(const std::string& prefix, double eps);  // undefined when absent

  // As it lies in the file. Errors: E_WEIGHTS_MISSING.
  const weights::CanonicalTensor& stored(const std::string& name) const { return weights_.at(name); }
  PackedWeights* packed() const noexcept { return packed_; }
  // Counts a tensor that was not read because its packed form was found.
  void count(const weights::CanonicalTensor& tensor) { parameters_ += tensor.numel(); }
  at::Device device() const noexcept { return device_; }

  bool has(const std::string& name) const { return weights_.find(name) != nullptr; }
  int64_t parameters() const noexcept { return parameters_; }

 private:
  at::Tensor load(const weights::CanonicalTensor& tensor);

  const weights::CanonicalWeights& weights_;
  at::Device device_;
  PackedWeights* packed_;
  int64_t parameters_ = 0;
};

// x / |x| over the last axis.
at::Tensor unit_rows(const at::Tensor& x);

}  // namespace crane::layers
