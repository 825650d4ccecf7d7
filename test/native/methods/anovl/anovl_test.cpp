// AnoVL through the engine, on towers of toy size.
#include "methods/anovl/anovl.h"

#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "../../engine/noise_pictures.h"
#include "../../engine/synthetic_model.h"
#include "../../weights/error_of.h"
#include "../sentences.h"
#include "image/resize.h"
#include "methods/anovl/views.h"

namespace crane::methods::anovl {
namespace {

using weights::code_of;

constexpr int64_t k_side = 84;  // 6 x 6 patches

ScoreOptions anovl_with(const Settings& settings = {}) { return {make("anovl", settings), "", 0}; }

struct Example {
  SyntheticModel model{64, 3, k_side};
  Engine engine{model.config};

  std::vector<ScoreOutcome> score(int pictures, const Settings& settings = {}) {
    const ScoreOptions options = anovl_with(settings);
    const Pictures some(pictures, k_side, k_side, engine.add_context(sentences(), options));
    return engine.score(some.items, options, nullptr);
  }
};

TEST(Anovl, AdaptsAndAveragesViews) {
  Example example;
  const ScoreOutcome whole = example.score(1)[0];
  EXPECT_EQ(whole.map_height, k_side);
  const ScoreOutcome alone = example.score(1, {{"augment", false}})[0];
  EXPECT_NE(whole.score, alone.score);
  EXPECT_EQ(whole.map, alone.map);
  const ScoreOutcome plain = example.score(1, {{"adapter", std::string("none")}})[0];
  EXPECT_EQ(plain.score, whole.score);
  EXPECT_NE(plain.map, whole.map);
  EXPECT_NE(example.score(1, {{"adapter", std::string("linear")}})[0].map, whole.map);
  EXPECT_NE(example.score(1, {{"adapterSteps", 4.0}})[0].map, whole.map);
  EXPECT_NE(example.score(1, {{"adapterSeed", 4.0}})[0].map, whole.map);
  EXPECT_NE(example.score(1, {{"compat.noise", true}})[0].map, whole.map);
  EXPECT_NE(example.score(1, {{"compat.rawTextMean", false}})[0].score, whole.score);
  for (const float value : whole.map) {
    EXPECT_GT(value, 0);
    EXPECT_LT(value, 1);
  }
}

TEST(Anovl, TheScoreIsTheMeanOfItsViewsScoredAlone) {
  Example example;
  at::manual_seed(43);
  const at::Tensor image = at::randn({1, 3, k_side, k_side});
  const at::Tensor views = at::cat({image, other_views(image)}, /*dim=*/0).contiguous();
  const auto scores = [&](const at::Tensor& pictures, bool augment) {
    const ScoreOptions options = anovl_with({{"augment", augment}, {"adapter", std::string("none")}});
    return example.engine.score_preprocessed(pictures.const_data_ptr<float>(),
                                             {pictures.size(0), k_side, k_side},
                                             example.engine.add_context(sentences(), options), options,
                                             /*wants_map=*/false, nullptr);
  };
  double sum = 0;
  double least = 1;
  double most = 0;
  for (const ScoreOutcome& view : scores(views, false)) {
    sum += view.score;
    least = std::min(least, view.score);
    most = std::max(most, view.score);
  }
  EXPECT_NEAR(scores(image, true)[0].score, sum / k_views, 1e-7);
  EXPECT_GT(most - least, 1e-4);
}

TEST(Anovl, AScoreDoesNotDependOnPicturesBesideOrBeforeIt) {
  Example example;
  for (const Settings& settings : {Settings{}, Settings{{"compat.noise", true}}}) {
    const ScoreOptions options = anovl_with(settings);
    const Pictures pictures(3, 100, 90, example.engine.add_context(sentences(), options));
    const auto together = example.engine.score(pictures.items, options, nullptr);
    for (const size_t i : {2, 0, 1}) {
      const auto alone = example.engine.score(std::vector<ScoreItem>{pictures.items[i]}, options, nullptr)[0];
      EXPECT_EQ(alone.score, together[i].score);
      EXPECT_EQ(alone.map, together[i].map);
    }
    EXPECT_NE(together[0].map, together[1].map);
  }
}

TEST(Anovl, PicturesAreResizedBilinearly) {
  Example example;
  const auto rgb = noise_picture(150, 110, 1);
  const image::PictureView picture{rgb.data(), 150, 110, image::Mode::rgb};
  const ScoreOptions options = anovl_with({{"augment", false}});
  const int64_t context = example.engine.add_context(sentences(), options);
  const auto score = [&](const image::PictureView& of) {
    ScoreItem item;
    item.picture = of;
    item.context = context;
    return example.engine.score(std::vector<ScoreItem>{item}, options, nullptr)[0].score;
  };
  const auto resized = [&](image::Filter filter) {
    std::vector<uint8_t> pixels(k_side * k_side * 3);
    image::resize_to_rgb(picture, k_side, k_side, filter, pixels.data());
    return score({pixels.data(), k_side, k_side, image::Mode::rgb});
  };
  EXPECT_EQ(score(picture), resized(image::Filter::bilinear));
  EXPECT_NE(score(picture), resized(image::Filter::bicubic));
}

TEST(Anovl, CarriedStateGoesOnFromThePictureBefore) {
  Example example;
  const Settings carries{{"compat.carriedState", true}};
  EXPECT_TRUE(facts_of(*anovl_with(carries).method).couples_pictures);
  EXPECT_FALSE(facts_of(*anovl_with().method).couples_pictures);
  const auto fresh = example.score(2);
  const auto carried = example.score(2, carries);
  EXPECT_EQ(carried[0].map, fresh[0].map);
  EXPECT_NE(carried[1].map, fresh[1].map);
  EXPECT_EQ(carried[1].score, fresh[1].score);  // the adapter does not reach the class token
}

TEST(Anovl, AUniformPictureHasADefinedScore) {
  Example example;
  const ScoreOptions options = anovl_with();
  for (const uint8_t level : {0, 128, 255}) {
    const std::vector<uint8_t> flat(k_side * k_side * 3, level);
    ScoreItem item;
    item.picture = {flat.data(), k_side, k_side, image::Mode::rgb};
    item.wants_map = true;
    item.context = example.engine.add_context(sentences(), options);
    const ScoreOutcome outcome = example.engine.score(std::vector<ScoreItem>{item}, options, nullptr)[0];
    EXPECT_GT(outcome.score, 0);
    EXPECT_LT(outcome.score, 1);
  }
}

TEST(Anovl, BadMaterialAndSettingsAreRefused) {
  Example example;
  const auto context = [&](const Material& material, const Settings& settings = {}) {
    return code_of([&] { example.engine.add_context(material, anovl_with(settings)); });
  };
  EXPECT_EQ(context(sentences()), "");
  EXPECT_EQ(context({}), "E_PROMPTS");
  Material one_sided = sentences();
  one_sided.texts["normal"].clear();
  EXPECT_EQ(context(one_sided), "E_PROMPTS");
  EXPECT_EQ(context(example.model.material), "E_PROMPTS");  // prompts that Crane learned
  const auto rgb = noise_picture(k_side, k_side, 1);
  Material with_normals = sentences();
  with_normals.normals = {{rgb.data(), k_side, k_side, image::Mode::rgb}};
  EXPECT_EQ(context(with_normals), "E_USAGE");
  EXPECT_EQ(context(sentences(), {{"adapter", std::string("both")}}), "E_MODEL_CONFIG");
  EXPECT_EQ(context(sentences(), {{"adapterSteps", -1.0}}), "E_MODEL_CONFIG");
  EXPECT_EQ(context(sentences(), {{"temperature", 0.0}}), "E_MODEL_CONFIG");
  EXPECT_EQ(context(sentences(), {{"windowSides", 2.0}}), "E_MODEL_CONFIG");
  // Draws that an adapter of other sentences wrote, and draws without an adapter.
  Material with_draws = sentences();
  with_draws.files["draws"] = example.model.config.weights.front();
  EXPECT_EQ(context(with_draws), "E_PROMPTS");
  EXPECT_EQ(context(with_draws, {{"adapter", std::string("none")}}), "E_PROMPTS");
}

TEST(Anovl, AnInputThatIsNotSquareHasNoQuarterTurns) {
  SyntheticModel model(64, 2, k_side);
  model.config.width = 2 * k_side;
  Engine engine(model.config);
  const auto score = [&](const Settings& settings) {
    const ScoreOptions options = anovl_with(settings);
    const Pictures pictures(1, 2 * k_side, k_side, engine.add_context(sentences(), options));
    return code_of([&] { engine.score(pictures.items, options, nullptr); });
  };
  EXPECT_EQ(score({}), "E_MODEL_CONFIG");
  EXPECT_EQ(score({{"augment", false}}), "");
}

}  // namespace
}  // namespace crane::methods::anovl
