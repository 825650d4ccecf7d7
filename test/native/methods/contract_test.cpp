// The toy of ../toy_method through the engine: named parts, normal pictures, features, learning.
#include <gtest/gtest.h>

#include <filesystem>

#include "../engine/noise_pictures.h"
#include "../engine/synthetic_model.h"
#include "engine/training.h"

namespace crane {
namespace {

ScoreOptions toy(const methods::Settings& settings = {}) { return {methods::make("toy", settings), "", 0}; }

TEST(Toy, PartsAreChosenByNameAndMapMaxIsTheEngines) {
  SyntheticModel model(64, 3, 84);
  Engine engine(model.config);
  const Pictures pictures(2, 84, 84, engine.add_context({}, toy()));
  const auto first = engine.score(pictures.items, toy(), nullptr);
  ASSERT_EQ(first[0].parts.size(), 3u);
  EXPECT_EQ(first[0].score, first[0].parts[0]);
  ScoreOptions other = toy();
  other.image_score = "average";
  EXPECT_EQ(engine.score(pictures.items, other, nullptr)[0].score, first[0].parts[1]);
  other.image_score = k_map_max;
  EXPECT_EQ(engine.score(pictures.items, other, nullptr)[0].score, first[0].map_max());
  other.image_score = "fused";
  EXPECT_THROW(engine.score(pictures.items, other, nullptr), Error);
}

TEST(Toy, ValuesMayLeaveTheUnitInterval) {
  SyntheticModel model(64, 3, 84);
  Engine engine(model.config);
  const Pictures pictures(1, 84, 84, engine.add_context({}, toy()));
  const double one = engine.score(pictures.items, toy(), nullptr)[0].score;
  EXPECT_FLOAT_EQ(engine.score(pictures.items, toy({{"toyScale", 40.0}}), nullptr)[0].score, 40 * one);
}

TEST(Toy, NormalPicturesAreInTheContext) {
  SyntheticModel model(64, 3, 84);
  Engine engine(model.config);
  Pictures pictures(2, 100, 90, engine.add_context({}, toy()));
  const double alone = engine.score(pictures.items, toy(), nullptr)[0].parts[1];
  methods::Material material;
  material.normals = {pictures.items[1].picture};
  for (ScoreItem& item : pictures.items) item.context = engine.add_context(material, toy());
  EXPECT_NE(engine.score(pictures.items, toy(), nullptr)[0].parts[1], alone);
}

TEST(Toy, AnotherMethodsContextIsRefused) {
  SyntheticModel model(64, 3, 84);
  Engine engine(model.config);
  const Pictures pictures(1, 84, 84, engine.add_context(model.material, model.options));
  try {
    engine.score(pictures.items, toy(), nullptr);
    FAIL() << "scored with Crane's texts";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "E_USAGE");
  }
}

// From pictures, from the cache, and gone on with from a file: one course.
TEST(Toy, LearnsFromCacheAndPicturesAlikeAndGoesOn) {
  SyntheticModel model(64, 3, 84);
  const auto engine = std::make_shared<Engine>(model.config);
  const Pictures pictures(2, 84, 84, 0);
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / join_text("crane-toy-", ::getpid());
  std::filesystem::create_directories(folder);
  std::vector<uint8_t> mask(84 * 84);
  for (size_t i = 0; i < mask.size() / 3; ++i) mask[i] = 1;
  std::vector<FeatureItem> wanted;
  std::vector<TrainItem> cached;
  std::vector<TrainItem> direct;
  for (size_t i = 0; i < 2; ++i) {
    wanted.push_back({pictures.items[i].picture, (folder / std::to_string(i)).string()});
    cached.push_back({wanted[i].path, nullptr, 0, true, {}, mask.data()});
    direct.push_back({"", nullptr, 0, true, pictures.items[i].picture, mask.data()});
  }
  engine->write_features(wanted, /*half_precision=*/false, toy(), nullptr);
  methods::LearnerStart fresh;
  fresh.kind = methods::LearnerStart::Kind::fresh;
  Training a(engine, toy().method, fresh, {});
  Training b(engine, toy().method, fresh, {});
  EXPECT_EQ(a.step(cached).total, b.step(direct).total);
  a.save((folder / "state").string(), {}, {});
  methods::LearnerStart saved{methods::LearnerStart::Kind::saved, {}, 0, (folder / "state").string()};
  Training c(engine, toy().method, saved, {});
  EXPECT_EQ(c.step(cached).total, b.step(direct).total);
  EXPECT_EQ(c.state().at("param.gain").data, b.state().at("param.gain").data);
  std::filesystem::remove_all(folder);
}

// Texts come by class, every picture says which is its own, and a class without texts is refused.
TEST(Toy, LearnsByTheClassesOfThePictures) {
  SyntheticModel model(64, 3, 84);
  const auto engine = std::make_shared<Engine>(model.config);
  const Pictures pictures(2, 84, 84, 0);
  std::vector<uint8_t> mask(84 * 84);
  for (size_t i = 0; i < mask.size() / 3; ++i) mask[i] = 1;
  methods::LearnerStart fresh;
  fresh.kind = methods::LearnerStart::Kind::fresh;
  fresh.classes = {{"nut", {{"normal", {{1, 2}}}}}, {"bolt", {{"normal", {{1, 3}}}}}};
  const auto item = [&](size_t picture, const std::string& name) {
    return TrainItem{"", nullptr, 0, true, pictures.items[picture].picture, mask.data(), name};
  };
  Training training(engine, toy().method, fresh, {});
  const auto before = training.state();
  training.step(std::vector{item(0, "nut"), item(1, "nut")});
  const auto after = training.state();
  EXPECT_NE(after.at("param.gain.nut").data, before.at("param.gain.nut").data);
  EXPECT_EQ(after.at("param.gain.bolt").data, before.at("param.gain.bolt").data);
  EXPECT_EQ(after.count("grad.gain.bolt"), 0u);
  try {
    training.step(std::vector{item(0, "nut"), item(1, "screw")});
    ADD_FAILURE() << "a class without texts was learned from";
  } catch (const Error& error) {
    EXPECT_STREQ(error.code().c_str(), "E_PROMPTS");
    EXPECT_NE(std::string(error.what()).find("screw"), std::string::npos);
  }
}

}  // namespace
}  // namespace crane
