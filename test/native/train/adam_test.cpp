#include "train/adam.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "../tensors/watched_memory.h"

namespace crane::train {
namespace {

// Two tensors with a gradient each, the same ones every time.
struct Example {
  std::vector<at::Tensor> parameters;

  Example() {
    at::manual_seed(3);
    for (const int64_t rows : {3, 5}) {
      parameters.push_back(at::randn({rows, 4}).set_requires_grad(true));
      parameters.back().mutable_grad() = at::randn({rows, 4});
    }
  }
  Adam adam() const { return {{1e-2, 0.9, 0.999, 1e-8, 0.01}, parameters}; }
};

// Everything that the next step depends on.
std::vector<at::Tensor> state_of(const Example& example, const Adam& adam) {
  std::vector<at::Tensor> state;
  for (const at::Tensor& parameter : example.parameters) state.push_back(parameter.detach().clone());
  for (const Adam::Moments& moments : adam.moments()) {
    state.push_back(moments.first.clone());
    state.push_back(moments.second.clone());
  }
  state.push_back(at::full({1}, adam.steps(), at::kLong));
  return state;
}

bool are_equal(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  return std::ranges::equal(
      a, b, [](const at::Tensor& one, const at::Tensor& other) { return at::equal(one, other); });
}

TEST(Adam, AStepThatIsRefusedMemoryMovesNothing) {
  const Example example;
  Adam adam = example.adam();
  const Example undisturbed;
  Adam other = undisturbed.adam();
  const at::NoGradGuard guard;
  adam.step();
  other.step();
  const std::vector<at::Tensor> before = state_of(example, adam);
  int refused = 0;
  for (bool is_done = false; !is_done; ++refused) {
    int number = 0;
    try {
      const WatchedMemory memory([&](size_t) { return number++ == refused; });
      adam.step();
      is_done = true;
    } catch (const std::bad_alloc&) {
      EXPECT_TRUE(are_equal(state_of(example, adam), before)) << "allocation " << refused;
    }
  }
  EXPECT_GT(refused, 8) << "values, moments and denominators of two tensors";
  other.step();
  EXPECT_TRUE(are_equal(state_of(example, adam), state_of(undisturbed, other)));
}

TEST(Adam, MomentsThatSomebodyElseHasStayAsTheyAre) {
  const Example example;
  Adam adam = example.adam();
  const at::NoGradGuard guard;
  adam.step();
  const std::vector<Adam::Moments> held = adam.moments();
  const at::Tensor first = held[0].first.clone();
  adam.step();
  EXPECT_TRUE(at::equal(held[0].first, first));
  EXPECT_FALSE(at::equal(held[0].first, adam.moments()[0].first));
}

}  // namespace
}  // namespace crane::train
