#include "methods/crane/prompt_trainer.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include "../engine/synthetic_model.h"
#include "methods/learned_prompts.h"

namespace crane::methods {
namespace {

at::Tensor unit(const at::Tensor& x) { return x / x.norm(2, -1, true); }

struct Course {
  SyntheticModel model{64, 3, 84};
  text::TextTower tower;
  text::PromptSet start;
  BatchFeatures features;
  train::CellCounts cells;
  at::Tensor labels = at::tensor({0, 1, 1, 0}, at::TensorOptions().dtype(at::kLong));

  Course() {
    const at::NoGradGuard guard;
    tower = text::TextTower::load(weights::canonicalise({weights::open_weights(model.config.weights[0])}), {},
                                  at::kCPU);
    start = text::load_prompts(model.material.files.at("prompts"), pair_of_texts(model.material, "crane"),
                               tower.width(), at::kCPU);
    at::manual_seed(7);
    features.maps = unit(at::randn({1, 4, 36, 64}));
    features.global = unit(at::randn({4, 64}));
    const at::Tensor masks = (at::rand({4, 84, 84}) > 0.7).to(at::kByte);
    cells = train::count_cells(masks * labels.view({4, 1, 1}).to(at::kByte), {6, 6});
  }

  std::vector<train::StepLosses> run(PromptTrainer& trainer, int steps) {
    std::vector<train::StepLosses> losses;
    for (int i = 0; i < steps; ++i) losses.push_back(trainer.step(features, {cells, {}, {}}, labels));
    return losses;
  }
};

TEST(PromptTrainer, LowersTheLossAndLeavesItsStartAlone) {
  Course course;
  const at::Tensor before = course.start.context[0].clone();
  PromptTrainer trainer(course.tower, course.start, {});
  const auto losses = course.run(trainer, 15);
  EXPECT_LT(losses.back().total, 0.9 * losses.front().total);
  EXPECT_TRUE(at::equal(course.start.context[0], before));
  for (const auto& [name, parameter] : trainer.parameters()) {
    EXPECT_TRUE(parameter.grad().defined() && parameter.grad().abs().max().item<double>() > 0) << name;
  }
}

TEST(PromptTrainer, SameStepsGiveTheSameBits) {
  Course course;
  PromptTrainer one(course.tower, course.start, {});
  PromptTrainer two(course.tower, course.start, {});
  course.run(one, 5);
  course.run(two, 5);
  const auto a = one.parameters();
  const auto b = two.parameters();
  ASSERT_EQ(a.size(), 3u);  // ctx_pos, ctx_neg, one set of deep tokens
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].first, b[i].first);
    EXPECT_TRUE(at::equal(a[i].second, b[i].second)) << a[i].first;
  }
}

// The first step of Adam moves every entry by the learning rate, against its gradient's sign.
TEST(PromptTrainer, FirstStepMovesEachEntryByTheLearningRate) {
  Course course;
  PromptTrainer trainer(course.tower, course.start, {});
  course.run(trainer, 1);
  const at::NoGradGuard guard;
  const auto parameters = trainer.parameters();
  const at::Tensor moved = parameters[0].second - course.start.context[0];
  const at::Tensor gradient = trainer.gradients()[0].second;
  const at::Tensor clear = gradient.abs() > 1e-4;
  EXPECT_LT((moved + 1e-3 * gradient.sign()).masked_select(clear).abs().max().item<double>(), 1e-6);
  EXPECT_GT(clear.sum().item<int64_t>(), 20);
}

TEST(PromptTrainer, RoundingOfDeepTokensIsASwitchThatShows) {
  Course course;
  PromptTraining exact;
  exact.half_deep_tokens = false;
  PromptTrainer rounded(course.tower, course.start, {});
  PromptTrainer unrounded(course.tower, course.start, exact);
  // The synthetic start is exact in half precision; after a step the two forms must part.
  course.run(rounded, 3);
  course.run(unrounded, 3);
  EXPECT_FALSE(at::equal(rounded.parameters()[2].second, unrounded.parameters()[2].second));
}

TEST(PromptTrainer, GuidanceOfProbabilityZeroIsNone) {
  Course course;
  PromptTraining never;
  never.guidance_probability = 0;
  PromptTraining none;
  none.guidance = text::Guidance::none;
  PromptTrainer one(course.tower, course.start, never);
  PromptTrainer two(course.tower, course.start, none);
  course.run(one, 3);
  course.run(two, 3);
  for (size_t i = 0; i < 3; ++i)
    EXPECT_TRUE(at::equal(one.parameters()[i].second, two.parameters()[i].second)) << i;
}

TEST(PromptTrainer, AStepIsGuidedAsItsNumberAndTheSeedSay) {
  PromptTraining half;
  half.guidance_probability = 0.5;
  half.guidance_seed = 111;
  Course course;
  // The steps one by one, each guided or not as drawn, by trainers that are always or never guided.
  PromptTrainer drawn(course.tower, course.start, half);
  course.run(drawn, 6);
  PromptTraining none = half;
  none.guidance = text::Guidance::none;
  PromptTraining always = half;
  always.guidance_probability = 1;
  text::PromptSet prompts = course.start;
  std::vector<train::Adam::Moments> moments;
  int64_t guided = 0;
  for (int64_t step = 0; step < 6; ++step) {
    const bool is_guided = is_guided_step(half, step);
    guided += is_guided;
    PromptTrainer single(course.tower, prompts, is_guided ? always : none);
    if (step > 0) single.restore(moments, step);
    course.run(single, 1);
    prompts = single.prompts();
    moments = single.adam().moments();
  }
  EXPECT_GT(guided, 0);
  EXPECT_LT(guided, 6);
  const auto parameters = drawn.parameters();
  EXPECT_TRUE(at::equal(parameters[0].second, prompts.context[0]));
  EXPECT_TRUE(at::equal(parameters[2].second, prompts.deep[0]));
}

TEST(PromptTrainer, StepsAreGuidedAsOftenAsTheProbabilitySays) {
  PromptTraining options;
  for (const double p : {0.0, 0.25, 0.9, 1.0}) {
    options.guidance_probability = p;
    for (const int64_t seed : {0, 111, 112}) {
      options.guidance_seed = seed;
      int64_t guided = 0;
      for (int64_t step = 0; step < 20000; ++step) guided += is_guided_step(options, step);
      // five standard deviations
      EXPECT_NEAR(static_cast<double>(guided) / 20000, p, 5 * std::sqrt(p * (1 - p) / 20000)) << p << seed;
    }
  }
}

}  // namespace
}  // namespace crane::methods
