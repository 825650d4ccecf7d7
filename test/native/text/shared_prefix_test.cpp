#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include "../engine/synthetic_model.h"
#include "text/tower.h"

namespace crane::text {
namespace {

struct Example {
  SyntheticModel model{64, 3, 84};
  TextTower tower;
  PromptSet prompts;
  at::Tensor features;

  Example() {
    tower = TextTower::load(weights::canonicalise({weights::open_weights(model.config.weights[0])}), {},
                            at::kCPU);
    prompts = load_prompts(model.material.files.at("prompts"),
                           {model.material.texts.at("normal")[0], model.material.texts.at("anomalous")[0]},
                           tower.width(), at::kCPU);
    at::manual_seed(3);
    const at::Tensor drawn = at::randn({5, 64});
    features = drawn / drawn.norm(2, -1, true);
  }

  // Feature and gradients of all learned tensors under one encoder.
  struct Result {
    at::Tensor unit;
    std::vector<at::Tensor> gradients;
  };
  template <typename Encode>
  Result run(Encode encode) const {
    PromptSet own = prompts;
    std::vector<at::Tensor*> learned{&own.context[0], &own.context[1]};
    for (at::Tensor& deep : own.deep) learned.push_back(&deep);
    for (at::Tensor* tensor : learned) *tensor = tensor->detach().clone().set_requires_grad(true);
    Result result{encode(own).unit, {}};
    // Uneven weights, so that no two pictures or entries can stand in for each other.
    at::manual_seed(4);
    (result.unit * at::randn(result.unit.sizes())).sum().backward();
    for (at::Tensor* tensor : learned) result.gradients.push_back(tensor->grad());
    return result;
  }
};

class SharedPrefix : public testing::TestWithParam<Guidance> {};

TEST_P(SharedPrefix, EqualsTheRowsRunPerPicture) {
  const Example example;
  for (const bool half : {false, true}) {
    const EncodeOptions how{GetParam(), half};
    const at::Tensor guidance = GetParam() == Guidance::none ? at::Tensor() : example.features;
    const auto plain =
        example.run([&](const PromptSet& p) { return example.tower.encode(p, how, guidance, nullptr); });
    const auto shared =
        example.run([&](const PromptSet& p) { return example.tower.encode_batch(p, how, guidance); });
    ASSERT_EQ(plain.unit.sizes(), shared.unit.sizes());
    EXPECT_LT((plain.unit - shared.unit).abs().max().item<double>(), 2e-6);
    ASSERT_EQ(plain.gradients.size(), 3u);
    for (size_t i = 0; i < plain.gradients.size(); ++i) {
      const double largest = plain.gradients[i].abs().max().item<double>();
      ASSERT_GT(largest, 1e-3);
      // What is shared is rounded once for all pictures instead of once for each (half: 11 bits).
      const double tolerance = half && i == 2 ? 2e-3 : 1e-5;
      EXPECT_LT((plain.gradients[i] - shared.gradients[i]).abs().max().item<double>(), tolerance * largest)
          << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(AllPlacements, SharedPrefix,
                         testing::Values(Guidance::none, Guidance::pad_suffix, Guidance::pad_prefix,
                                         Guidance::replace_suffix, Guidance::replace_prefix));

}  // namespace
}  // namespace crane::text
