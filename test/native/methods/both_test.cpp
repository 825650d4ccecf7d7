// Prompts and a bank together through the engine.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "../engine/noise_pictures.h"
#include "../engine/synthetic_model.h"
#include "../weights/error_of.h"
#include "../weights/scratch_folder.h"

namespace crane {
namespace {

using weights::thrown_by;

constexpr double k_sigma = 2;

class Both : public ::testing::Test {
 protected:
  ScoreOptions how(const methods::Settings& changes = {}) {
    methods::Settings settings = model.options.method->settings();
    settings["bankBlocks"] = std::vector<double>{2};
    settings["turns"] = 2.0;
    for (const auto& [name, value] : changes) settings[name] = value;
    return {methods::make("both", settings), "", k_sigma};
  }
  ScoreOptions normals() {
    const methods::Settings settings = {{"bankBlocks", std::vector<double>{2}}, {"turns", 2.0}};
    return {methods::make("normals", settings), "", k_sigma};
  }
  int64_t learn(std::vector<size_t> which) {
    methods::Material normal;
    for (const size_t i : which) normal.normals.push_back(pictures.items[i].picture);
    return engine.add_context(normal, how());
  }
  int64_t beside(int64_t bank, const ScoreOptions& options) {
    methods::Material material = model.material;
    material.handles["memory"] = {bank};
    return engine.add_context(material, options);
  }
  ScoreOutcome score(size_t which, int64_t context, const ScoreOptions& options) {
    ScoreItem item = pictures.items[which];
    item.context = context;
    item.wants_map = true;
    return engine.score(std::vector{item}, options, nullptr).front();
  }
  ScoreOutcome scored(size_t which, const methods::Settings& changes = {}) {
    const ScoreOptions options = how(changes);
    return score(which, beside(learn({0, 1, 2}), options), options);
  }

  SyntheticModel model{64, 3, 84};
  Engine engine{model.config};
  Pictures pictures{5, 100, 90, 0};
};

TEST_F(Both, WithoutAWeightOfThePromptsItIsTheBankAlone) {
  const ScoreOutcome alone = score(3, learn({0, 1, 2}), normals());
  const ScoreOutcome both = scored(3, {{"promptMapWeight", 0.0}, {"promptScoreWeight", 0.0}});
  EXPECT_EQ(both.score, alone.score);
  EXPECT_EQ(both.map, alone.map);
}

// share p + (1 - share) d with share = w t / (w t + s), s and t the spreads of prompts and bank.
TEST_F(Both, EachCountsInItsSpreadOverTheGoodPictures) {
  const ScoreOutcome bank = score(3, learn({0, 1, 2}), normals());
  const ScoreOutcome prompts = score(3, engine.add_context(model.material, model.options), [&] {
    ScoreOptions options = model.options;
    options.sigma_px = k_sigma;
    return options;
  }());
  const auto share_at = [&](const ScoreOutcome& both, size_t i) {
    return (both.map[i] - bank.map[i]) / (prompts.map[i] - bank.map[i]);
  };
  const ScoreOutcome one = scored(3, {{"promptMapWeight", 1.0}});
  const ScoreOutcome three = scored(3, {{"promptMapWeight", 3.0}});
  const ScoreOutcome wide = scored(3, {{"promptMapWeight", 1.0}, {"promptLeastSpread", 1.0}});
  for (const size_t i : {0u, 1000u, 5000u}) {
    const double a = share_at(one, i);
    const double b = share_at(three, i);
    EXPECT_NEAR(b / (1 - b), 3 * a / (1 - a), 1e-2 * b / (1 - b)) << i;
    EXPECT_NEAR(a, share_at(one, 42), 1e-3) << i;
    EXPECT_LT(share_at(wide, i), a) << i;
  }
}

TEST_F(Both, TheOrderOfTheBankDecidesNoBit) {
  std::vector<size_t> order = {0, 1, 2, 4};
  const ScoreOptions options = how();
  const ScoreOutcome first = score(3, beside(learn(order), options), options);
  while (std::ranges::next_permutation(order).found) {
    const ScoreOutcome other = score(3, beside(learn(order), options), options);
    EXPECT_EQ(other.score, first.score);
    EXPECT_EQ(other.map, first.map);
  }
}

TEST_F(Both, AScoreDoesNotDependOnItsNeighboursByABit) {
  const ScoreOptions options = how();
  const int64_t context = beside(learn({0, 1, 2}), options);
  std::vector<ScoreItem> items = pictures.items;
  for (ScoreItem& item : items) {
    item.context = context;
    item.wants_map = true;
  }
  const auto together = engine.score(items, options, nullptr);
  for (const size_t i : {3u, 4u}) {
    const ScoreOutcome alone = score(i, context, options);
    EXPECT_EQ(alone.score, together[i].score);
    EXPECT_EQ(alone.map, together[i].map);
  }
}

TEST_F(Both, KeptFeaturesScoreAsThePictureDoes) {
  const ScoreOptions options = how();
  const int64_t context = beside(learn({0, 1, 2}), options);
  methods::Material asking;
  asking.handles["both"] = {context};
  asking.handles["pictures"] = {learn({4})};
  const auto own = engine.own_scores(engine.add_context(asking, options), options, nullptr);
  ASSERT_EQ(own.size(), 1u);
  const ScoreOutcome wanted = score(4, context, options);
  EXPECT_EQ(own[0].score, wanted.score);
  EXPECT_EQ(own[0].map, wanted.map);
}

TEST_F(Both, ABankOfBothIsWrittenAndReadWhole) {
  const weights::ScratchFolder folder;
  const std::string path = folder.file("both.safetensors");
  const int64_t bank = learn({0, 1, 2});
  engine.write_context(bank, path, {});
  methods::Material file;
  file.files["bank"] = path;
  const int64_t read = engine.add_context(file, normals());
  const ScoreOptions options = how();
  EXPECT_EQ(score(3, beside(read, options), options).score, score(3, beside(bank, options), options).score);
}

TEST_F(Both, WhatCannotStandBesidePromptsIsRefused) {
  const ScoreOptions options = how();
  methods::Material plain;
  for (const size_t i : {0u, 1u}) plain.normals.push_back(pictures.items[i].picture);
  const int64_t patches_alone = engine.add_context(plain, normals());
  EXPECT_EQ(thrown_by([&] { beside(patches_alone, options); }).code, "E_NORMALS");
  EXPECT_EQ(thrown_by([&] { beside(learn({0}), options); }).code, "E_NORMALS");
  EXPECT_EQ(thrown_by([&] { engine.add_context(model.material, options); }).code, "E_NORMALS");
  EXPECT_EQ(thrown_by([&] { how({{"compat.batchMean", true}}); }).code, "E_MODEL_CONFIG");
  methods::Material mixed;
  mixed.handles["bank"] = {patches_alone, learn({0, 1})};
  EXPECT_EQ(thrown_by([&] { engine.add_context(mixed, normals()); }).code, "E_NORMALS");
}

}  // namespace
}  // namespace crane
