#include "train/learned.h"

#include <ATen/core/grad_mode.h>

#include <cmath>

#include "core/error.h"

namespace crane::train {
namespace {

Parameters as_leaves(const Parameters& start) {
  Parameters leaves;
  for (const auto& [name, tensor] : start) {
    leaves.emplace_back(name, tensor.detach().clone().set_requires_grad(true));
  }
  return leaves;
}

std::vector<at::Tensor> tensors_of(const Parameters& parameters) {
  std::vector<at::Tensor> tensors;
  for (const auto& [name, tensor] : parameters) tensors.push_back(tensor);
  return tensors;
}

}  // namespace

Learned::Learned(const AdamOptions& options, const Parameters& start)
    : parameters_(as_leaves(start)), adam_(options, tensors_of(parameters_)) {}

void Learned::restore(const SavedTraining& saved) {
  const at::NoGradGuard guard;
  std::vector<Adam::Moments> moments;
  for (auto& [name, tensor] : parameters_) {
    const at::Tensor stored = saved.floats("param." + name, tensor.device());
    check_input(stored.sizes() == tensor.sizes(), "E_TRAIN_RESUME", saved.path(), ": ", name, " is ",
                weights::shape_text(stored.sizes().vec()), ", expected ",
                weights::shape_text(tensor.sizes().vec()));
    tensor.copy_(stored);
    moments.push_back(saved.moments(name, tensor));
  }
  adam_.restore(std::move(moments), saved.steps());
}

const at::Tensor& Learned::at(const std::string& name) const {
  for (const auto& [own, tensor] : parameters_) {
    if (own == name) return tensor;
  }
  throw Error("E_INTERNAL", join_text("nothing that is learned is called ", name));
}

Parameters Learned::gradients() const {
  Parameters all = parameters_;
  for (auto& [name, tensor] : all) tensor = tensor.grad();
  return all;
}

void Learned::descend(const at::Tensor& total, const StepLosses& losses) {
  check_input(std::isfinite(losses.total), "E_TRAIN_DIVERGED", "the loss of step ", adam_.steps() + 1,
              " is not finite: focal ", losses.focal, ", dice ", losses.dice, ", image ", losses.image);
  total.backward();
  const at::NoGradGuard guard;
  for (const auto& [name, gradient] : gradients()) {
    check_input(!gradient.defined() || at::isfinite(gradient).all().item<bool>(), "E_TRAIN_DIVERGED",
                "the gradient of ", name, " at step ", adam_.steps() + 1, " is not finite");
  }
  adam_.step();
}

void Learned::save(const std::string& path, const Parameters& own, const std::vector<ExtraTensor>& extra,
                   const std::map<std::string, std::string>& metadata) const {
  save_training(path, parameters_, adam_, own, extra, metadata);
}

}  // namespace crane::train
