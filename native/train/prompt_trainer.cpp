#include "train/prompt_trainer.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>

#include "core/error.h"

namespace crane::train {

PromptTrainer::PromptTrainer(const text::TextTower& tower, const text::PromptSet& start, TrainOptions options)
    : tower_(tower), options_(options), prompts_(start) {
  for (at::Tensor* parameter : learned()) {
    *parameter = parameter->detach().clone().set_requires_grad(true);
    moments_.push_back({at::zeros_like(*parameter), at::zeros_like(*parameter)});
  }
}

PromptTrainer::PromptTrainer(const text::TextTower& tower, const text::PromptSet& start, TrainOptions options,
                             std::vector<Moments> moments, int64_t steps)
    : PromptTrainer(tower, start, options) {
  CRANE_CHECK_INVARIANT(moments.size() == moments_.size(), moments.size(), " moments");
  moments_ = std::move(moments);
  steps_ = steps;
}

// In the checkpoint's order: context of both texts, then the deep tokens.
std::vector<at::Tensor*> PromptTrainer::learned() {
  std::vector<at::Tensor*> all{&prompts_.context[0], &prompts_.context[1]};
  for (at::Tensor& deep : prompts_.deep) all.push_back(&deep);
  return all;
}

StepLosses PromptTrainer::step(const Features& features, const CellCounts& cells, const at::Tensor& labels,
                               Trace* trace) {
  for (at::Tensor* parameter : learned()) parameter->mutable_grad() = at::Tensor();
  const bool is_guided = options_.guidance != text::Guidance::none;
  const text::EncodeOptions how{options_.guidance, options_.half_deep_tokens};
  const at::Tensor pictures = is_guided ? features.global : at::Tensor();
  const at::Tensor text = (options_.shared_prefix ? tower_.encode_batch(prompts_, how, pictures)
                                                  : tower_.encode(prompts_, how, pictures, nullptr))
                              .unit;
  const LossTerms terms = prompt_loss(features, text, cells, labels, options_.loss, trace);
  const StepLosses losses{terms.focal.item<double>(), terms.dice.item<double>(), terms.image.item<double>(),
                          terms.total.item<double>()};
  check_input(std::isfinite(losses.total), "E_TRAIN_DIVERGED", "the loss of step ", steps_ + 1,
              " is not finite: focal ", losses.focal, ", dice ", losses.dice, ", image ", losses.image);
  terms.total.backward();
  const at::NoGradGuard guard;
  for (const auto& [name, gradient] : gradients()) {
    check_input(gradient.defined() && at::isfinite(gradient).all().item<bool>(), "E_TRAIN_DIVERGED",
                "the gradient of ", name, " at step ", steps_ + 1, " is not finite");
  }
  ++steps_;
  const std::vector<at::Tensor*> parameters = learned();
  for (size_t i = 0; i < parameters.size(); ++i) adam(*parameters[i], moments_[i]);
  return losses;
}

void PromptTrainer::adam(at::Tensor& parameter, Moments& moments) const {
  const AdamOptions& o = options_.adam;
  const at::Tensor& gradient = parameter.grad();
  moments.first.lerp_(gradient, 1 - o.beta1);
  moments.second.mul_(o.beta2).addcmul_(gradient, gradient, 1 - o.beta2);
  const double correction1 = 1 - std::pow(o.beta1, static_cast<double>(steps_));
  const double correction2 = 1 - std::pow(o.beta2, static_cast<double>(steps_));
  const at::Tensor denominator = moments.second.sqrt().div_(std::sqrt(correction2)).add_(o.eps);
  parameter.addcdiv_(moments.first, denominator, -o.learning_rate / correction1);
}

std::vector<std::pair<std::string, at::Tensor>> PromptTrainer::parameters() const {
  std::vector<std::pair<std::string, at::Tensor>> named{{"ctx_pos", prompts_.context[0]},
                                                        {"ctx_neg", prompts_.context[1]}};
  for (size_t i = 0; i < prompts_.deep.size(); ++i) {
    named.emplace_back(join_text("compound_prompts_text.", i), prompts_.deep[i]);
  }
  return named;
}

std::vector<std::pair<std::string, at::Tensor>> PromptTrainer::gradients() const {
  auto named = parameters();
  for (auto& [name, tensor] : named) tensor = tensor.grad();
  return named;
}

}  // namespace crane::train
