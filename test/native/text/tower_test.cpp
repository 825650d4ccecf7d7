// The text tower against the loops of plain_text.h: sentences, deep tokens, learned prompts, gradients.
#include "text/tower.h"

#include <ATen/ops/randn.h>
#include <ATen/ops/zeros_like.h>
#include <gtest/gtest.h>

#include "plain_text.h"

namespace crane::text {
namespace {

using plain::worst;

// Three blocks; features of size 3, sums over up to 256 products in float32.
constexpr double k_tolerance = 2e-5;

using Sentences = std::vector<std::vector<int64_t>>;

// Of the synthetic model's ten tokens; 9 ends a text.
const Sentences k_sentences{{1, 2, 3, 9, 0, 0, 0, 0, 0},
                            {1, 5, 5, 6, 7, 8, 9, 0, 0},
                            {1, 9, 0, 0, 0, 0, 0, 0, 0},
                            {1, 8, 7, 6, 5, 4, 3, 2, 9}};

struct Example {
  SyntheticModel model{64, 2, 56};
  plain::PlainTower loops{model};
  TextTower tower = loops.tower();
};

std::vector<at::Tensor> random_deep(int64_t blocks, int64_t rows, int64_t width) {
  std::vector<at::Tensor> deep;
  for (int64_t i = 0; i < blocks; ++i) deep.push_back(0.3 * at::randn({rows, width}));
  return deep;
}

std::vector<at::Tensor> as_double(const std::vector<at::Tensor>& deep, bool half) {
  std::vector<at::Tensor> result;
  for (const at::Tensor& rows : deep) result.push_back((half ? rows.to(at::kHalf) : rows).to(at::kDouble));
  return result;
}

TEST(TextTower, EncodesSentencesAsIfEachWereAloneAndWhole) {
  const Example example;
  const at::Tensor features = example.tower.encode_sentences(k_sentences);
  ASSERT_EQ(features.size(0), static_cast<int64_t>(k_sentences.size()));
  for (size_t s = 0; s < k_sentences.size(); ++s) {
    const at::Tensor wanted = example.loops.encode(k_sentences[s]);
    ASSERT_GT(wanted.abs().max().item<double>(), 0.5);
    EXPECT_LT(worst(features[static_cast<int64_t>(s)], wanted), k_tolerance) << s;
  }
}

TEST(TextTower, EncodesMoreSentencesThanOnePassHolds) {
  const Example example;
  Sentences many;
  for (int64_t i = 0; i < 150; ++i) {
    many.push_back({1, i % 8, i / 8 % 8, i % 7, 9, 0, 0, 0, 0});
    if (i % 3 == 0) std::swap(many.back()[3], many.back()[4]);
  }
  const at::Tensor features = example.tower.encode_sentences(many);
  ASSERT_EQ(features.size(0), 150);
  for (const int64_t s : {0, 63, 64, 127, 128, 149}) {
    EXPECT_LT(worst(features[s], example.loops.encode(many[static_cast<size_t>(s)])), k_tolerance) << s;
  }
}

TEST(TextTower, ReplacesTheFirstWordsOfSentencesByDeepTokens) {
  const Example example;
  at::manual_seed(21);
  const auto deep = random_deep(2, 2, example.loops.width());
  for (const bool half : {false, true}) {
    const at::Tensor features = example.tower.encode_sentences(k_sentences, deep, half);
    for (size_t s = 0; s < k_sentences.size(); ++s) {
      const at::Tensor wanted = example.loops.encode(k_sentences[s], as_double(deep, half));
      EXPECT_LT(worst(features[static_cast<int64_t>(s)], wanted), k_tolerance) << half << " " << s;
    }
  }
}

TEST(TextTower, GradientsOfDeepTokensAreThoseOfTheLoops) {
  const Example example;
  at::manual_seed(22);
  auto deep = random_deep(2, 2, example.loops.width());
  const at::Tensor weight = at::randn({static_cast<int64_t>(k_sentences.size()), 64});
  for (at::Tensor& rows : deep) rows.set_requires_grad(true);
  for (const bool half : {false, true}) {
    SCOPED_TRACE(half);
    for (at::Tensor& rows : deep) rows.mutable_grad() = at::Tensor();
    (example.tower.encode_sentences(k_sentences, deep, half) * weight).sum().backward();

    // Sentence by sentence; each one's gradient passes the cast on its own.
    std::vector<at::Tensor> wanted;
    for (const at::Tensor& rows : deep) wanted.push_back(at::zeros_like(rows, at::kDouble));
    for (size_t s = 0; s < k_sentences.size(); ++s) {
      auto own = as_double(deep, half);
      for (at::Tensor& rows : own) rows = rows.detach().set_requires_grad(true);
      (example.loops.encode(k_sentences[s], own) * weight[static_cast<int64_t>(s)]).sum().backward();
      for (size_t i = 0; i < own.size(); ++i) {
        const at::Tensor gradient = own[i].grad();
        wanted[i] += half ? gradient.to(at::kFloat).to(at::kHalf).to(at::kDouble) : gradient;
      }
    }
    for (size_t i = 0; i < deep.size(); ++i) {
      const double largest = wanted[i].abs().max().item<double>();
      ASSERT_GT(largest, 0.1);
      // Where float32 and double fall on two sides of a rounding to half they differ by 2^-10 of a gradient.
      EXPECT_LT(worst(deep[i].grad(), wanted[i]), (half ? 1e-3 : 1e-5) * largest) << i;
    }
  }
}

TEST(TextTower, EncodesALearnedPairByItsContextGuidanceAndDeepTokens) {
  const Example example;
  const PromptSet prompts = load_prompts(
      example.model.material.files.at("prompts"),
      {example.model.material.texts.at("normal")[0], example.model.material.texts.at("anomalous")[0]},
      example.tower.width(), at::kCPU);
  at::manual_seed(23);
  const at::Tensor guidance = layers::unit_rows(at::randn({1, 64}));
  for (const Guidance kind : {Guidance::none, Guidance::pad_suffix}) {
    const at::Tensor given = kind == Guidance::none ? at::Tensor() : guidance;
    const TextFeatures features = example.tower.encode(prompts, {kind, true}, given, nullptr);
    for (int c = 0; c < k_pair; ++c) {
      // start, context, (the picture), the words after the X; the end row moves by the picture's token.
      std::vector<at::Tensor> rows{example.loops.embedded(prompts.ids[c][0]).unsqueeze(0),
                                   prompts.context[c].to(at::kDouble)};
      if (kind == Guidance::pad_suffix) rows.push_back(guidance.to(at::kDouble));
      int64_t end = 0;
      for (size_t i = 4; i < prompts.ids[c].size(); ++i) {
        if (prompts.ids[c][i] == 9) end = static_cast<int64_t>(i) + (kind == Guidance::none ? 0 : 1);
        if (rows.size() < 9) rows.push_back(example.loops.embedded(prompts.ids[c][i]).unsqueeze(0));
      }
      const at::Tensor x = at::cat(rows).slice(0, 0, example.tower.context_length());
      const at::Tensor wanted = example.loops.encode_rows(x, end, as_double(prompts.deep, true));
      EXPECT_LT(worst(features.raw[0][c], wanted), k_tolerance) << c;
    }
  }
}

TEST(TextTower, RefusesWhatItCannotEncode) {
  const Example example;
  const auto code_of = [&](const Sentences& sentences, const std::vector<at::Tensor>& deep = {}) {
    try {
      example.tower.encode_sentences(sentences, deep);
      return std::string("none");
    } catch (const Error& error) {
      return error.code();
    }
  };
  EXPECT_EQ(code_of({}), "E_PROMPTS");
  EXPECT_EQ(code_of({{1, 2, 10, 11}}), "E_PROMPTS");                    // no such token
  EXPECT_EQ(code_of({{1, 2, 3, 4, 5, 6, 7, 8, 2, 9}}), "E_PROMPTS");    // ten of nine positions
  EXPECT_EQ(code_of({{1, 2, 9}}, random_deep(3, 2, 64)), "E_PROMPTS");  // deep tokens of four blocks
  EXPECT_EQ(code_of({{1, 2, 9}}, random_deep(1, 9, 64)), "E_PROMPTS");  // deeper than the positions
  EXPECT_EQ(code_of({{1, 2, 9, 123456}, {1, 9}}), "E_PROMPTS");         // the largest id ends a text
  EXPECT_EQ(code_of({{1, 2, 9, 0}, {1, 3, 4, 9}}), "none");
}

}  // namespace
}  // namespace crane::text
