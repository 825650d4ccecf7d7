#include "methods/anovl/adaptation.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tanh.h>

#include <cmath>

#include "core/error.h"
#include "layers/linear.h"
#include "weights/tensor_view.h"

namespace crane::methods::anovl {
namespace {

constexpr double k_noise = 0.05 * 1.1;
constexpr double k_share = 0.5;     // of what the adapter adds
constexpr double k_contrast = 0.5;  // weight of the second term of the loss
constexpr train::AdamOptions k_adamw{1e-3, 0.9, 0.999, 1e-8, 0.01};

// x [.., D] -> the same with the adapter's half.
at::Tensor mixed(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                 const Sentences& sentences, Adapter adapter) {
  at::Tensor answer = at::linear(layers::unit_rows(x), weight, bias);
  if (adapter == Adapter::text) answer = at::matmul(at::tanh(answer), sentences.all);
  return k_share * answer + (1 - k_share) * x;
}

// [.., 2] logarithms of the probabilities: normal, anomalous.
at::Tensor log_probabilities(const at::Tensor& x, const at::Tensor& pair, double temperature) {
  return at::log_softmax(at::matmul(layers::unit_rows(x), pair.transpose(0, 1)) / temperature, /*dim=*/-1);
}

// What the clean patches leave open, and how well they and the noisy ones are told apart: [N, 2] each,
// logarithms.
at::Tensor loss_of(const at::Tensor& clean, const at::Tensor& noisy) {
  const at::Tensor entropy = -(clean.exp() * clean).sum(/*dim=*/-1).mean();
  return entropy - k_contrast * (noisy.select(-1, 1) + clean.select(-1, 0)).mean();
}

// A tensor of the file as [P, shape...].
at::Tensor read_of_pictures(const weights::WeightFile& file, const std::string& name,
                            const std::vector<int64_t>& shape) {
  const weights::TensorView* view = file.find(name);
  check_input(view != nullptr, "E_PROMPTS", "the file of draws has no tensor \"", name, "\"");
  std::vector<int64_t> wanted = shape;
  wanted.insert(wanted.begin(), view->shape.empty() ? 0 : view->shape.front());
  check_input(view->shape == wanted && wanted.front() > 0, "E_PROMPTS", "\"", name,
              "\" of the file of draws is ", weights::shape_text(view->shape), ", expected ",
              weights::shape_text(shape), " for each picture");
  at::Tensor tensor = at::empty(wanted, at::TensorOptions().dtype(at::kFloat));
  weights::copy_as_f32(*view, tensor.mutable_data_ptr<float>());
  return tensor;
}

}  // namespace

Draws drawn(const Options& options, int64_t rows, int64_t cells, int64_t width) {
  at::Generator generator = at::detail::createCPUGenerator(static_cast<uint64_t>(options.adapter_seed));
  const auto floats = at::TensorOptions().dtype(at::kFloat);
  const double bound = 1 / std::sqrt(static_cast<double>(width));
  const auto uniform = [&](at::IntArrayRef shape) {
    return (2 * at::rand(shape, generator, floats) - 1) * bound;
  };
  Draws draws;
  draws.weight = uniform({1, rows, width});
  draws.bias = uniform({1, rows});
  if (options.compat.noise) {
    draws.noise = k_noise * at::randn({1, options.adapter_steps, cells, width}, generator, floats);
  }
  return draws;
}

Draws read_draws(const std::string& path, const Options& options, int64_t rows, int64_t cells,
                 int64_t width) {
  const auto file = weights::open_weights(path);
  Draws draws;
  draws.weight = read_of_pictures(*file, "weight", {rows, width});
  draws.bias = read_of_pictures(*file, "bias", {rows});
  if (options.compat.noise) {
    draws.noise = read_of_pictures(*file, "noise", {options.adapter_steps, cells, width});
  }
  const int64_t pictures = draws.weight.size(0);
  check_input(draws.bias.size(0) == pictures && (!draws.noise.defined() || draws.noise.size(0) == pictures),
              "E_PROMPTS", "the file of draws has tensors of different numbers of pictures");
  return draws;
}

at::Tensor adapted(const at::Tensor& patches, const Sentences& sentences, const Draws& draws, int64_t at,
                   const Options& options, Carried* carried, Trace* trace) {
  const at::AutoGradMode with_gradients(true);
  // In double: gradients of a loss this flat are small differences, and AdamW's first steps are as long for a
  // wrong one as for a right one. Next to the tower this is little work.
  const auto exact = [&](const at::Tensor& values) {
    return values.detach().to(patches.device(), at::kDouble, /*non_blocking=*/false, /*copy=*/true);
  };
  const at::Tensor x = exact(patches);
  const Sentences fixed{exact(sentences.pair), exact(sentences.all)};
  at::Tensor weight = exact(draws.weight[at]).set_requires_grad(true);
  at::Tensor bias = exact(draws.bias[at]).set_requires_grad(true);
  train::Adam optimiser(k_adamw, {weight, bias});
  if (carried != nullptr && !carried->moments.empty()) optimiser.restore(carried->moments, carried->steps);
  const auto probabilities = [&](const at::Tensor& of) {
    return log_probabilities(mixed(of, weight, bias, fixed, options.adapter), fixed.pair,
                             options.temperature);
  };
  for (int64_t step = 0; step < options.adapter_steps; ++step) {
    const at::Tensor clean = probabilities(x);
    const at::Tensor noisy = draws.noise.defined() ? probabilities(x + exact(draws.noise[at][step])) : clean;
    const at::Tensor loss = loss_of(clean, noisy);
    optimiser.clear_gradients();
    loss.backward();
    const double value = loss.item<double>();
    const bool is_finite = std::isfinite(value) && at::isfinite(weight.grad()).all().item<bool>() &&
                           at::isfinite(bias.grad()).all().item<bool>();
    check_input(is_finite, "E_TRAIN_DIVERGED", "the adapter's loss became ", value, " in step ", step + 1);
    if (trace) {
      trace->record("adapter.losses", loss.view({1}));
      if (step == 0) {
        trace->record("adapter.weight_gradient_1", weight.grad().unsqueeze(0));
        trace->record("adapter.bias_gradient_1", bias.grad().unsqueeze(0));
      }
    }
    const at::NoGradGuard guard;
    optimiser.step();
  }
  if (carried != nullptr) *carried = {optimiser.moments(), optimiser.steps()};
  const at::NoGradGuard guard;
  if (trace) trace->record("adapter.bias", bias.unsqueeze(0));
  return mixed(x, weight, bias, fixed, options.adapter).to(patches.scalar_type());
}

at::Tensor anomalous(const at::Tensor& patches, const at::Tensor& pair, double temperature) {
  return log_probabilities(patches, pair, temperature).exp().select(-1, 1);
}

}  // namespace crane::methods::anovl
