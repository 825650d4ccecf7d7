#include "methods/crane/prompt_trainer.h"

#include <ATen/core/grad_mode.h>

#include <cmath>

#include "core/error.h"
#include "train/prompt_files.h"

namespace crane::methods {
namespace {

// A copy whose tensors are leaves that ask for a gradient.
text::PromptSet as_leaves(text::PromptSet prompts) {
  const auto leaf = [](at::Tensor& tensor) { tensor = tensor.detach().clone().set_requires_grad(true); };
  for (at::Tensor& context : prompts.context) leaf(context);
  for (at::Tensor& deep : prompts.deep) leaf(deep);
  return prompts;
}

// In the checkpoint's order: context of both texts, then the deep tokens.
std::vector<at::Tensor> learned(const text::PromptSet& prompts) {
  std::vector<at::Tensor> all(prompts.context.begin(), prompts.context.end());
  all.insert(all.end(), prompts.deep.begin(), prompts.deep.end());
  return all;
}

}  // namespace

PromptTrainer::PromptTrainer(const text::TextTower& tower, const text::PromptSet& start,
                             PromptTraining options)
    : tower_(tower), options_(options), prompts_(as_leaves(start)), adam_(options.adam, learned(prompts_)) {}

train::StepLosses PromptTrainer::step(const BatchFeatures& features, const PixelLabels& pixels,
                                      const at::Tensor& labels, Trace* trace) {
  adam_.clear_gradients();
  const bool is_guided = is_guided_step(options_, adam_.steps());
  const text::EncodeOptions how{is_guided ? options_.guidance : text::Guidance::none,
                                options_.half_deep_tokens};
  const at::Tensor pictures = is_guided ? features.global : at::Tensor();
  const at::Tensor text = (options_.shared_prefix ? tower_.encode_batch(prompts_, how, pictures)
                                                  : tower_.encode(prompts_, how, pictures, nullptr))
                              .unit;
  const LossTerms terms = prompt_loss(features, text, pixels, labels, options_.loss, trace);
  const train::StepLosses losses{terms.focal.item<double>(), terms.dice.item<double>(),
                                 terms.image.item<double>(), terms.total.item<double>()};
  check_input(std::isfinite(losses.total), "E_TRAIN_DIVERGED", "the loss of step ", adam_.steps() + 1,
              " is not finite: focal ", losses.focal, ", dice ", losses.dice, ", image ", losses.image);
  terms.total.backward();
  const at::NoGradGuard guard;
  for (const auto& [name, gradient] : gradients()) {
    check_input(gradient.defined() && at::isfinite(gradient).all().item<bool>(), "E_TRAIN_DIVERGED",
                "the gradient of ", name, " at step ", adam_.steps() + 1, " is not finite");
  }
  adam_.step();
  return losses;
}

train::Parameters PromptTrainer::parameters() const { return train::learned_prompts(prompts_); }

train::Parameters PromptTrainer::gradients() const {
  auto named = parameters();
  for (auto& [name, tensor] : named) tensor = tensor.grad();
  return named;
}

}  // namespace crane::methods
