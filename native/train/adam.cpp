#include "train/adam.h"

#include <ATen/ops/zeros_like.h>

#include <cmath>
#include <optional>
#include <utility>

#include "core/error.h"

namespace crane::train {
namespace {

// A parameter and its moments behind a step.
struct Moved {
  at::Tensor value;
  Adam::Moments moments;
};

// The step with this number, from 1.
Moved moved(const AdamOptions& o, const at::Tensor& parameter, const Adam::Moments& moments, int64_t step) {
  const at::Tensor& gradient = parameter.grad();
  Moved to{o.weight_decay != 0 ? parameter.mul(1 - o.learning_rate * o.weight_decay) : parameter.clone(),
           {moments.first.lerp(gradient, 1 - o.beta1),
            moments.second.mul(o.beta2).addcmul_(gradient, gradient, 1 - o.beta2)}};
  const double correction1 = 1 - std::pow(o.beta1, static_cast<double>(step));
  const double correction2 = 1 - std::pow(o.beta2, static_cast<double>(step));
  const at::Tensor denominator = to.moments.second.sqrt().div_(std::sqrt(correction2)).add_(o.eps);
  to.value.addcdiv_(to.moments.first, denominator, -o.learning_rate / correction1);
  return to;
}

}  // namespace

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
  // All of it is there before anything is moved: a state that is half of one step is the state of none.
  std::vector<std::optional<Moved>> all(parameters_.size());
  for (size_t i = 0; i < all.size(); ++i) {
    if (parameters_[i].grad().defined()) all[i] = moved(options_, parameters_[i], moments_[i], steps_ + 1);
  }
  ++steps_;
  for (size_t i = 0; i < all.size(); ++i) {
    if (!all[i]) continue;
    parameters_[i].copy_(all[i]->value);
    moments_[i] = std::move(all[i]->moments);
  }
}

void Adam::restore(std::vector<Moments> moments, int64_t steps) {
  CRANE_CHECK_INVARIANT(moments.size() == parameters_.size(), moments.size(), " moments for ",
                        parameters_.size(), " parameters");
  moments_ = std::move(moments);
  steps_ = steps;
}

}  // namespace crane::train
