// What every method with learned parts must keep, on the systems that Crane is compared with.
#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "../engine/noise_pictures.h"
#include "../engine/synthetic_model.h"
#include "../tensors/watched_memory.h"
#include "../weights/error_of.h"
#include "engine/training.h"
#include "train/saved_training.h"

namespace crane {
namespace {

using weights::code_of;

constexpr int64_t k_side = 84;  // 6 x 6 patches

struct Case {
  const char* method;
  methods::Settings settings;
  methods::Settings learning;
  const char* file;  // its part in the material
  bool names_class;
  double largest_map;
};

std::vector<double> blocks(std::initializer_list<double> numbers) { return numbers; }

const Case k_cases[] = {
    {"anomalyclip",
     {{"eAttnLayers", 2.0}, {"features", blocks({1, 2, 3})}},
     {{"contextRows", 3.0}, {"deepBlocks", 1.0}, {"deepTokens", 2.0}},
     "prompts",
     false,
     3},
    {"vand", {{"features", blocks({1, 2, 3})}}, {}, "heads", true, 3},
    {"adaclip",
     {{"features", blocks({1, 2, 3})}, {"clusters", 3.0}, {"clusterPatches", 4.0}},
     {{"deepTokens", 2.0}, {"deepBlocks", 2.0}},
     "heads",
     true,
     1},
};

class LearnedMethod : public testing::TestWithParam<Case> {
 protected:
  LearnedMethod() {
    std::filesystem::create_directories(folder_);
    for (size_t i = 0; i < mask_.size() / 3; ++i) mask_[i] = 1;
    if (GetParam().names_class) {
      texts_ = {{"normal", {{1, 2, 9, 0, 0, 0, 0, 0, 0}, {1, 3, 2, 9, 0, 0, 0, 0, 0}}},
                {"anomalous", {{1, 4, 2, 9, 0, 0, 0, 0, 0}}}};
    } else {
      texts_ = model_.material.texts;
    }
  }
  ~LearnedMethod() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  std::shared_ptr<const methods::Method> method(const methods::Settings& more = {}) const {
    methods::Settings settings = GetParam().settings;
    for (const auto& [name, value] : more) settings[name] = value;
    return methods::make(GetParam().method, settings);
  }
  ScoreOptions options(const methods::Settings& more = {}) const { return {method(more), "", 0}; }

  methods::LearnerStart start(methods::LearnerStart::Kind kind) const {
    methods::LearnerStart begun;
    begun.kind = kind;
    begun.seed = 5;
    if (GetParam().names_class) {
      begun.classes["part"] = texts_;
    } else {
      begun.material.texts = texts_;
    }
    return begun;
  }
  Training fresh() {
    return {engine_, method(), start(methods::LearnerStart::Kind::fresh), GetParam().learning};
  }

  TrainItem item(const ScoreItem& picture, const std::string& features = {}) const {
    TrainItem one;
    one.features = features;
    if (features.empty()) one.picture = picture.picture;
    one.is_anomalous = true;
    one.mask = mask_.data();
    if (GetParam().names_class) one.class_name = "part";
    return one;
  }

  methods::Material material(const std::string& file) const {
    methods::Material made;
    made.texts = texts_;
    made.files[GetParam().file] = file;
    return made;
  }
  std::vector<ScoreOutcome> scored(const methods::Material& from, const Pictures& pictures,
                                   const ScoreOptions& how) {
    std::vector<ScoreItem> items = pictures.items;
    const int64_t context = engine_->add_context(from, how);
    for (ScoreItem& each : items) each.context = context;
    return engine_->score(items, how, nullptr);
  }

  SyntheticModel model_{64, 3, k_side};
  std::shared_ptr<Engine> engine_ = std::make_shared<Engine>(model_.config);
  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / join_text("crane-learned-", ::getpid());
  methods::Texts texts_;
  std::vector<uint8_t> mask_ = std::vector<uint8_t>(k_side * k_side);
};

TEST_P(LearnedMethod, LearnsFromCacheAndPicturesAlikeGoesOnAndIsScored) {
  const Pictures pictures(1, k_side, k_side, 0);
  engine_->write_features({{{pictures.items[0].picture, path("features")}}}, /*half_precision=*/false,
                          options(), nullptr);
  const std::vector<TrainItem> cached{item(pictures.items[0], path("features"))};
  const std::vector<TrainItem> direct{item(pictures.items[0])};
  Training a = fresh();
  Training b = fresh();
  const double first = a.step(cached).total;
  EXPECT_EQ(first, b.step(direct).total);
  a.save(path("state"), {}, {});
  methods::LearnerStart saved = start(methods::LearnerStart::Kind::saved);
  saved.saved_path = path("state");
  Training c(engine_, method(), saved, GetParam().learning);
  double last = 0;
  for (int step = 0; step < 3; ++step) {
    last = c.step(cached).total;
    EXPECT_EQ(last, b.step(direct).total);
  }
  EXPECT_LT(last, first);

  c.write_checkpoint(path("learned.pth"), /*as_pth=*/true, {});
  c.write_checkpoint(path("learned.safetensors"), /*as_pth=*/false, {{"note", "kept"}});
  const auto from_pth = scored(material(path("learned.pth")), pictures, options());
  const auto from_safetensors = scored(material(path("learned.safetensors")), pictures, options());
  EXPECT_EQ(from_pth[0].score, from_safetensors[0].score);
  EXPECT_EQ(from_pth[0].map, from_safetensors[0].map);

  methods::LearnerStart on = start(methods::LearnerStart::Kind::checkpoint);
  on.material.files[GetParam().file] = path("learned.pth");
  Training d(engine_, method(), on, GetParam().learning);
  EXPECT_LT(d.step(cached).total, first);
}

TEST_P(LearnedMethod, UniformPicturesHaveFiniteScoresAndMapsWithinTheirRange) {
  fresh().write_checkpoint(path("learned.pth"), true, {});
  Pictures pictures(3, k_side, k_side, 0);
  for (size_t i = 0; i < 2; ++i) {
    std::fill(pictures.pixels[i].begin(), pictures.pixels[i].end(), static_cast<uint8_t>(i * 255));
  }
  for (const ScoreOutcome& outcome : scored(material(path("learned.pth")), pictures, options())) {
    EXPECT_TRUE(outcome.score >= 0 && outcome.score <= 1) << outcome.score;
    for (const float value : outcome.map) {
      ASSERT_TRUE(value >= 0 && value <= GetParam().largest_map * 1.00001) << value;
    }
  }
}

TEST_P(LearnedMethod, ScoresDoNotDependOnTheCall) {
  fresh().write_checkpoint(path("learned.pth"), true, {});
  const Pictures pictures(2, k_side, k_side, 0);
  const methods::Material from = material(path("learned.pth"));
  const auto both = scored(from, pictures, options());
  Pictures second(2, k_side, k_side, 0);
  second.items.erase(second.items.begin());
  const auto alone = scored(from, second, options());
  EXPECT_EQ(both[1].score, alone[0].score);
  EXPECT_EQ(both[1].map, alone[0].map);
}

TEST_P(LearnedMethod, WhatIsMissingOrAnothersIsCoded) {
  fresh().write_checkpoint(path("own.pth"), true, {});
  for (const Case& other : k_cases) {
    if (std::string_view(other.method) == GetParam().method) continue;
    methods::LearnerStart begun;
    begun.kind = methods::LearnerStart::Kind::fresh;
    begun.material.texts = model_.material.texts;
    Training(engine_, methods::make(other.method, other.settings), begun, other.learning)
        .write_checkpoint(path("other.pth"), true, {});
    EXPECT_EQ(code_of([&] { engine_->add_context(material(path("other.pth")), options()); }),
              "E_WEIGHTS_MISSING")
        << other.method;
  }
  methods::Material without_file = material(path("own.pth"));
  without_file.files.clear();
  EXPECT_EQ(code_of([&] { engine_->add_context(without_file, options()); }), "E_PROMPTS");
  methods::Material without_texts = material(path("own.pth"));
  without_texts.texts.erase("normal");
  EXPECT_EQ(code_of([&] { engine_->add_context(without_texts, options()); }), "E_PROMPTS");
  const ScoreOptions deeper = options({{"features", blocks({1, 2, 4})}});
  EXPECT_EQ(code_of([&] { scored(material(path("own.pth")), Pictures(1, k_side, k_side, 0), deeper); }),
            "E_MODEL_CONFIG");
  // A block may be listed twice, but no list is longer than the tower.
  EXPECT_EQ(code_of([&] { engine_->feature_shape(options({{"features", blocks({1, 3, 3})}})); }), "");
  EXPECT_EQ(code_of([&] {
              engine_->feature_shape(options({{"features", blocks({1, 2, 3, 3})}}));
            }),
            "E_MODEL_CONFIG");
}

INSTANTIATE_TEST_SUITE_P(Compared, LearnedMethod, testing::ValuesIn(k_cases),
                         [](const auto& tested) { return std::string(tested.param.method); });

class VandMemory : public LearnedMethod {};

TEST_P(VandMemory, APictureAmongTheNormalOnesAddsNothing) {
  fresh().write_checkpoint(path("learned.pth"), true, {});
  const Pictures pictures(2, k_side, k_side, 0);
  methods::Material with_memory = material(path("learned.pth"));
  with_memory.normals = {pictures.items[0].picture};
  const auto plain = scored(material(path("learned.pth")), pictures, options());
  const auto few = scored(with_memory, pictures, options());
  for (size_t i = 0; i < plain[0].map.size(); ++i) EXPECT_NEAR(few[0].map[i], plain[0].map[i], 1e-4);
  EXPECT_GT(few[1].map_max(), plain[1].map_max() + 1e-3);
  // Half of the sum with the maximum of the map, a level's share of it.
  EXPECT_NEAR(few[1].score, 0.5 * (plain[1].score + few[1].map_max() / 3), 1e-5);
}

TEST_P(VandMemory, MinMaxRunsOverThePicturesOfOneClass) {
  fresh().write_checkpoint(path("learned.pth"), true, {});
  const Pictures pictures(3, k_side, k_side, 0);
  methods::Material with_memory = material(path("learned.pth"));
  with_memory.normals = {pictures.items[0].picture};
  const ScoreOptions scaled = options({{"compat.classMinMax", true}});
  const auto plain = scored(material(path("learned.pth")), pictures, options());
  const auto few = scored(with_memory, pictures, scaled);
  double least = few[0].map_max();
  double most = least;
  for (const ScoreOutcome& outcome : few) {
    least = std::min(least, outcome.map_max());
    most = std::max(most, outcome.map_max());
  }
  for (size_t i = 0; i < few.size(); ++i) {
    const double share = (few[i].map_max() - least) / (most - least);
    EXPECT_NEAR(few[i].score, 0.5 * (plain[i].score + share), 1e-4);
  }
  Pictures one(1, k_side, k_side, 0);
  EXPECT_NEAR(scored(with_memory, one, scaled)[0].score, 0.5 * plain[0].score, 1e-6);
}

TEST_P(VandMemory, LearnedPictureByPictureIsTheSameBitForBit) {
  fresh().write_checkpoint(path("learned.pth"), true, {});
  const Pictures pictures(3, k_side, k_side, 0);
  methods::Material together = material(path("learned.pth"));
  together.normals = {pictures.items[0].picture, pictures.items[1].picture};
  // Without texts and without heads.
  std::vector<int64_t> alone;
  for (size_t i = 0; i < 2; ++i) {
    methods::Material normal;
    normal.normals = {pictures.items[i].picture};
    alone.push_back(engine_->add_context(normal, options()));
  }
  methods::Material joined;
  joined.handles["memory"] = alone;
  methods::Material apart = material(path("learned.pth"));
  apart.handles["memory"] = {engine_->add_context(joined, options())};
  const auto expected = scored(together, pictures, options());
  const auto found = scored(apart, pictures, options());
  for (size_t b = 0; b < expected.size(); ++b) {
    EXPECT_EQ(found[b].score, expected[b].score);
    EXPECT_EQ(found[b].map, expected[b].map);
  }
  EXPECT_NE(expected[2].score, scored(material(path("learned.pth")), pictures, options())[2].score);

  engine_->write_context(apart.handles["memory"][0], path("memory"), {});
  methods::Material read = material(path("learned.pth"));
  read.files["memory"] = path("memory");
  const auto of_file = scored(read, pictures, options());
  for (size_t b = 0; b < expected.size(); ++b) {
    EXPECT_EQ(of_file[b].score, expected[b].score);
    EXPECT_EQ(of_file[b].map, expected[b].map);
  }

  const auto fewer = options({{"features", blocks({1, 2})}});
  EXPECT_EQ(code_of([&] { engine_->add_context(joined, fewer); }), "E_NORMALS");
  std::vector<ScoreItem> item{pictures.items[0]};
  item[0].context = alone[0];
  EXPECT_EQ(code_of([&] { engine_->score(item, options(), nullptr); }), "E_USAGE");
}

INSTANTIATE_TEST_SUITE_P(Compared, VandMemory, testing::Values(k_cases[1]));

class AdaClipLearner : public LearnedMethod {};

TEST_P(AdaClipLearner, TakesOnePictureAStep) {
  const Pictures pictures(2, k_side, k_side, 0);
  const std::vector<TrainItem> two{item(pictures.items[0]), item(pictures.items[1])};
  Training training = fresh();
  EXPECT_EQ(code_of([&] { training.step(two); }), "E_USAGE");
}

// A prompt of many rows would be learned with two layers for each.
TEST_P(AdaClipLearner, ASavedTrainingMakesNothingThatItDoesNotHold) {
  for (const auto& [rows, width] : {std::pair{2000, 1}, std::pair{1000, 64}}) {
    const train::Parameters prompt{{"clip_model.visual_prompter.static_prompts.0", at::ones({rows, width})}};
    train::save_training(path("state"), prompt, train::Adam({}, {prompt.front().second}), {}, {}, {});
    methods::LearnerStart saved = start(methods::LearnerStart::Kind::saved);
    saved.saved_path = path("state");
    size_t taken = 0;
    const WatchedMemory memory([&](size_t bytes) { return (taken += bytes) > 20'000'000; });
    EXPECT_EQ(code_of([&] { Training(engine_, method(), saved, GetParam().learning); }), "E_TRAIN_RESUME");
  }
}

TEST_P(AdaClipLearner, ClustersMayBeGiven) {
  fresh().write_checkpoint(path("learned.pth"), true, {});
  const Pictures pictures(1, k_side, k_side, 0);
  const methods::Material from = material(path("learned.pth"));
  std::vector<double> labels(12, 0.0);
  labels[3] = 2;
  const double given = scored(from, pictures, options({{"compat.clusterLabels", labels}}))[0].score;
  EXPECT_TRUE(std::isfinite(given));
  EXPECT_NE(
      given,
      scored(from, pictures, options({{"compat.clusterLabels", std::vector<double>(12, 1.0)}}))[0].score);
  labels[0] = 3;
  EXPECT_EQ(code_of([&] {
              scored(from, pictures, options({{"compat.clusterLabels", labels}}));
            }),
            "E_MODEL_CONFIG");
  labels.resize(5);
  EXPECT_EQ(code_of([&] {
              scored(from, pictures, options({{"compat.clusterLabels", labels}}));
            }),
            "E_MODEL_CONFIG");
}

INSTANTIATE_TEST_SUITE_P(Compared, AdaClipLearner, testing::Values(k_cases[2]));

}  // namespace
}  // namespace crane
