// WinCLIP through the engine, on towers of toy size.
#include "methods/winclip/winclip.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "../../engine/noise_pictures.h"
#include "../../engine/synthetic_model.h"
#include "../../weights/error_of.h"
#include "../sentences.h"
#include "methods/winclip/window_features.h"
#include "vision/windows.h"
#include "weights/name_map.h"

namespace crane::methods::winclip {
namespace {

using weights::code_of;

constexpr int64_t k_side = 84;  // 6 x 6 patches

ScoreOptions winclip_with(const Settings& settings = {}) { return {make("winclip", settings), "", 0}; }

// With other constants for every channel, so that their order shows.
const EngineConfig& with_own_channels(EngineConfig& config) {
  config.vision.mean = {0.48, 0.35, 0.6};
  config.vision.std = {0.27, 0.2, 0.3};
  return config;
}

struct Example {
  SyntheticModel model{64, 3, k_side};
  Engine engine{with_own_channels(model.config)};

  ScoreOutcome score(const image::PictureView& picture, const Settings& settings = {},
                     const std::vector<image::PictureView>& normals = {}) {
    Material material = sentences();
    material.normals = normals;
    ScoreItem item;
    item.picture = picture;
    item.wants_map = true;
    item.context = engine.add_context(material, winclip_with(settings));
    return engine.score(std::vector<ScoreItem>{item}, winclip_with(settings), nullptr)[0];
  }
};

image::PictureView view(const std::vector<uint8_t>& rgb, int64_t side = k_side) {
  return {rgb.data(), side, side, image::Mode::rgb};
}

TEST(Winclip, AMemoryLearnedPictureByPictureIsTheSameBitForBit) {
  Example example;
  const auto picture = noise_picture(k_side, k_side, 1);
  const auto first = noise_picture(k_side, k_side, 2);
  const auto second = noise_picture(k_side, k_side, 3);
  for (const Settings& settings : {Settings{}, Settings{{"compat.galleryBatch", 1.0}}}) {
    const ScoreOptions options = winclip_with(settings);
    const ScoreOutcome together = example.score(view(picture), settings, {view(first), view(second)});
    std::vector<int64_t> alone;
    for (const auto* normal : {&first, &second}) {
      Material one;
      one.normals = {view(*normal)};
      alone.push_back(example.engine.add_context(one, options));
    }
    Material joined;
    joined.handles["memory"] = alone;
    Material apart = sentences();
    apart.handles["memory"] = {example.engine.add_context(joined, options)};
    ScoreItem item;
    item.picture = view(picture);
    item.wants_map = true;
    item.context = example.engine.add_context(apart, options);
    const ScoreOutcome found = example.engine.score(std::vector{item}, options, nullptr)[0];
    EXPECT_EQ(found.score, together.score);
    EXPECT_EQ(found.map, together.map);
    EXPECT_NE(found.score, example.score(view(picture), settings).score);

    item.context = alone[0];
    EXPECT_EQ(code_of([&] { example.engine.score(std::vector{item}, options, nullptr); }), "E_USAGE");
    const ScoreOptions other = winclip_with({{"windowSides", std::vector<double>{2}}});
    EXPECT_EQ(code_of([&] { example.engine.add_context(apart, other); }), "E_NORMALS");
  }
}

TEST(Winclip, GivesAMapOfItsOwnSizeAndItsLargestValue) {
  Example example;
  const auto rgb = noise_picture(k_side, k_side, 1);
  const ScoreOutcome own = example.score(view(rgb));
  EXPECT_EQ(own.map_height, 400);
  EXPECT_EQ(own.map_width, 400);
  EXPECT_EQ(own.score, *std::max_element(own.map.begin(), own.map.end()));
  EXPECT_GE(*std::min_element(own.map.begin(), own.map.end()), 0);
  EXPECT_LE(own.score, 0.5);
  EXPECT_NE(own.score, *std::min_element(own.map.begin(), own.map.end()));
  const ScoreOutcome as_input = example.score(view(rgb), {{"mapSide", 0.0}});
  EXPECT_EQ(as_input.map_height, k_side);
  // Without the quirk nothing is halved.
  EXPECT_FLOAT_EQ(example.score(view(rgb), {{"compat.halvedMap", false}}).score, 2 * own.score);
}

TEST(Winclip, AScoreDoesNotDependOnItsNeighbours) {
  Example example;
  const Pictures pictures(3, 100, 90, example.engine.add_context(sentences(), winclip_with()));
  const auto together = example.engine.score(pictures.items, winclip_with(), nullptr);
  for (size_t i = 0; i < 3; ++i) {
    const auto alone =
        example.engine.score(std::vector<ScoreItem>{pictures.items[i]}, winclip_with(), nullptr)[0];
    EXPECT_EQ(alone.score, together[i].score);
    EXPECT_EQ(alone.map, together[i].map);
  }
  EXPECT_NE(together[0].score, together[1].score);
}

TEST(Winclip, ItsOwnNormalPictureLeavesNothing) {
  Example example;
  const auto rgb = noise_picture(k_side, k_side, 1);
  const auto other = noise_picture(k_side, k_side, 2);
  const Settings exact{{"compat.galleryLag", false}};
  EXPECT_LT(example.score(view(rgb), exact, {view(rgb)}).score, 1e-6);
  EXPECT_LT(example.score(view(rgb), exact, {view(other), view(rgb)}).score, 1e-6);
  const double beside_another = example.score(view(rgb), exact, {view(other)}).score;
  EXPECT_GT(beside_another, 1e-4);
  EXPECT_NE(beside_another, example.score(view(rgb), exact).score);
}

TEST(Winclip, TheGalleryLagShowsInTheCellsOfTheFirstWindowAlone) {
  Example example;
  const auto rgb = noise_picture(k_side, k_side, 1);
  const ScoreOutcome lagging = example.score(view(rgb), {{"mapSide", 6.0}}, {view(rgb)});
  ASSERT_EQ(lagging.map.size(), 36u);
  for (size_t cell = 0; cell < 36; ++cell) {
    const bool is_in_first = cell / 6 < 3 && cell % 6 < 3;
    if (is_in_first) {
      EXPECT_GT(lagging.map[cell], 1e-5) << cell;
    } else {
      EXPECT_LT(lagging.map[cell], 1e-6) << cell;
    }
  }
}

TEST(Winclip, OfBatchesOfNormalPicturesTheLastStaysWhereAskedFor) {
  Example example;
  const auto rgb = noise_picture(k_side, k_side, 1);
  const auto a = noise_picture(k_side, k_side, 2);
  const auto b = noise_picture(k_side, k_side, 3);
  const Settings last{{"compat.galleryBatch", 1.0}};
  const double only_b = example.score(view(rgb), {}, {view(b)}).score;
  EXPECT_EQ(example.score(view(rgb), last, {view(a), view(b)}).score, only_b);
  EXPECT_NE(example.score(view(rgb), {}, {view(a), view(b)}).score, only_b);
  const Settings pairs{{"compat.galleryBatch", 2.0}};
  EXPECT_EQ(example.score(view(rgb), pairs, {view(a), view(a), view(b)}).score, only_b);
}

TEST(Winclip, BlueFirstIsAPictureWithItsChannelsSwapped) {
  Example example;
  const auto rgb = noise_picture(k_side, k_side, 1);
  auto bgr = rgb;
  for (size_t i = 0; i < bgr.size(); i += 3) {
    std::swap(bgr[i], bgr[i + 2]);
    bgr[i] = static_cast<uint8_t>(bgr[i] / 3);
  }
  auto back = bgr;
  for (size_t i = 0; i < back.size(); i += 3) std::swap(back[i], back[i + 2]);
  const double wanted = example.score(view(back)).score;
  EXPECT_NEAR(example.score(view(bgr), {{"compat.bgr", true}}).score, wanted, 1e-6);
  EXPECT_GT(std::abs(example.score(view(bgr)).score - wanted), 1e-5);
  // Normal pictures are not swapped.
  EXPECT_LT(
      example.score(view(bgr), {{"compat.bgr", true}, {"compat.galleryLag", false}}, {view(back)}).score,
      1e-5);
}

TEST(Winclip, AUniformPictureHasADefinedScore) {
  Example example;
  for (const uint8_t level : {0, 128, 255}) {
    const std::vector<uint8_t> flat(k_side * k_side * 3, level);
    for (const bool is_few_shot : {false, true}) {
      const auto normals = is_few_shot ? std::vector{view(flat)} : std::vector<image::PictureView>{};
      const ScoreOutcome outcome = example.score(view(flat), {}, normals);
      EXPECT_GE(outcome.score, 0);
      EXPECT_LE(outcome.score, 0.5);
    }
  }
}

TEST(Winclip, BadMaterialAndSettingsAreRefused) {
  Example example;
  const auto context = [&](const Material& material, const Settings& settings = {}) {
    return code_of([&] { example.engine.add_context(material, winclip_with(settings)); });
  };
  EXPECT_EQ(context(sentences()), "");
  EXPECT_EQ(context({}), "E_PROMPTS");
  Material one_sided = sentences();
  one_sided.texts.erase("anomalous");
  EXPECT_EQ(context(one_sided), "E_PROMPTS");
  Material unknown_word = sentences();
  unknown_word.texts["normal"].push_back({1, 700, 9});
  EXPECT_EQ(context(unknown_word), "E_PROMPTS");
  EXPECT_EQ(context(example.model.material), "E_PROMPTS");  // prompts that Crane learned

  const auto rgb = noise_picture(k_side, k_side, 1);
  const auto score = [&](const Settings& settings) {
    return code_of([&] { example.score(view(rgb), settings); });
  };
  EXPECT_EQ(score({{"windowSides", std::vector<double>{2, 6}}}), "");
  EXPECT_EQ(score({{"windowSides", std::vector<double>{2, 7}}}), "E_MODEL_CONFIG");
  EXPECT_EQ(score({{"windowSides", std::vector<double>{2, 2}}}), "E_MODEL_CONFIG");
  EXPECT_EQ(score({{"windowSides", std::vector<double>{}}}), "E_MODEL_CONFIG");
  EXPECT_EQ(score({{"windowSides", std::vector<double>{0}}}), "E_MODEL_CONFIG");
  EXPECT_EQ(score({{"mapSide", -1.0}}), "E_MODEL_CONFIG");
  EXPECT_EQ(score({{"temperature", 0.0}}), "E_MODEL_CONFIG");
  EXPECT_EQ(score({{"eAttn", std::string("vv")}}), "E_MODEL_CONFIG");
  EXPECT_EQ(code_of([&] {
              const Pictures pictures(
                  1, k_side, k_side,
                  example.engine.add_context(example.model.material, example.model.options));
              example.engine.score(pictures.items, winclip_with(), nullptr);
            }),
            "E_USAGE");
}

// A grid so large that its windows pass in several parts: each as if it were alone.
TEST(WindowFeatures, DoNotDependOnThePartThatAWindowIsIn) {
  const c10::InferenceMode guard;
  const SyntheticModel model(64, 2, k_side);
  const auto weights = weights::canonicalise({weights::open_weights(model.config.weights.front())});
  const vision::Tower tower = vision::Tower::load(weights, model.config.vision, at::kCPU);
  at::manual_seed(34);
  const int64_t cells = 24;
  const at::Tensor image = at::randn({1, 3, 14 * cells, 14 * cells});
  const at::Tensor features = window_features(tower, image, {2})[0][0];
  const at::Tensor rows = vision::window_rows({cells, cells}, 2, at::kCPU);
  ASSERT_GT(rows.numel(), 2048);  // more than one part
  const at::Tensor tokens = tower.embed(image);
  for (const int64_t window : {int64_t{0}, int64_t{408}, int64_t{409}, int64_t{410}, rows.size(0) - 1}) {
    const at::Tensor cls =
        vision::run_blocks(tower.blocks(), vision::gather_windows(tokens, rows.slice(0, window, window + 1)),
                           vision::Taps{})
            .plain;
    const at::Tensor alone = layers::unit_rows(tower.project(cls))[0][0];
    EXPECT_LT((features[window] - alone).abs().max().item<double>(), 1e-5) << window;
  }
}

}  // namespace
}  // namespace crane::methods::winclip
