#include "train/adam.h"

#include <ATen/ops/zeros_like.h>

#include <cmath>

#include "core/error.h"

namespace crane::train {

Adam::Adam(const AdamOptions& options, std::vector<at::Tensor> parameters)
    : options_(options), parameters_(std::move(parameters)) {
  for (const at::Tensor& parameter : parameters_) {
    const at::Tensor values = parameter.detach();
    moments_.push_back({at::zeros_like(values), at::zeros_like(values)});
  }
}

void Adam::clear_gradients() {
  for (at::Tensor& parameter : parameters_) parameter.mutable_grad() = at::Tensor();
}

void Adam::step() {
  ++steps_;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    if (parameters_[i].grad().defined()) move(parameters_[i], moments_[i]);
  }
}

void Adam::restore(std::vector<Moments> moments, int64_t steps) {
  CRANE_CHECK_INVARIANT(moments.size() == parameters_.size(), moments.size(), " moments for ",
                        parameters_.size(), " parameters");
  moments_ = std::move(moments);
  steps_ = steps;
}

void Adam::move(at::Tensor& parameter, Moments& moments) const {
  const AdamOptions& o = options_;
  const at::Tensor& gradient = parameter.grad();
  if (o.weight_decay != 0) parameter.mul_(1 - o.learning_rate * o.weight_decay);
  moments.first.lerp_(gradient, 1 - o.beta1);
  moments.second.mul_(o.beta2).addcmul_(gradient, gradient, 1 - o.beta2);
  const double correction1 = 1 - std::pow(o.beta1, static_cast<double>(steps_));
  const double correction2 = 1 - std::pow(o.beta2, static_cast<double>(steps_));
  const at::Tensor denominator = moments.second.sqrt().div_(std::sqrt(correction2)).add_(o.eps);
  parameter.addcdiv_(moments.first, denominator, -o.learning_rate / correction1);
}

}  // namespace crane::train
