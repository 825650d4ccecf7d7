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

// Two pictures, the upper third of each anomalous, in a folder with their features.
struct Lesson {
  SyntheticModel model{64, 3, 84};
  std::shared_ptr<Engine> engine = std::make_shared<Engine>(model.config);
  Pictures pictures{2, 84, 84, 0};
  std::filesystem::path folder =
      std::filesystem::temp_directory_path() / join_text("crane-toy-", ::getpid(), "-", next_++);
  std::vector<uint8_t> mask = std::vector<uint8_t>(84 * 84);
  std::vector<TrainItem> cached;
  std::vector<TrainItem> direct;

  Lesson() {
    std::filesystem::create_directories(folder);
    for (size_t i = 0; i < mask.size() / 3; ++i) mask[i] = 1;
    std::vector<FeatureItem> wanted;
    for (size_t i = 0; i < 2; ++i) {
      wanted.push_back({pictures.items[i].picture,
                        (folder / std::to_string(i)).string(),
                        {{"mask", train::anomalous_per_cell(mask.data(), 84, 84, {6, 6})}}});
      cached.push_back({true, wanted[i].path, "mask"});
      direct.push_back({true, "", "", pictures.items[i].picture, mask.data()});
    }
    engine->write_features(wanted, /*half_precision=*/false, toy(), nullptr);
  }
  ~Lesson() { std::filesystem::remove_all(folder); }

  Training begin(const methods::Settings& settings = {}) const {
    methods::LearnerStart fresh;
    fresh.kind = methods::LearnerStart::Kind::fresh;
    return {engine, toy().method, fresh, settings};
  }

 private:
  static inline int next_ = 0;
};

// From pictures, from the cache, and gone on with from a file: one course.
TEST(Toy, LearnsFromCacheAndPicturesAlikeAndGoesOn) {
  const Lesson lesson;
  Training a = lesson.begin();
  Training b = lesson.begin();
  EXPECT_EQ(a.step(lesson.cached).total, b.step(lesson.direct).total);
  const std::string state = (lesson.folder / "state").string();
  a.save(state, {}, {});
  methods::LearnerStart saved{methods::LearnerStart::Kind::saved, {}, 0, state};
  Training c(lesson.engine, toy().method, saved, {});
  EXPECT_EQ(c.step(lesson.cached).total, b.step(lesson.direct).total);
  EXPECT_EQ(c.state().at("param.gain").data, b.state().at("param.gain").data);
}

// A learner that asks for whole masks gets those of the pictures whose masks are known, in their order.
TEST(Toy, LearnsFromWholeMasksWhatItLearnsFromCounts) {
  for (const size_t unknown : {0, 1, 2}) {
    Lesson lesson;
    // Another mask than its neighbour's, so that an exchange would show.
    std::vector<uint8_t> lower(84 * 84);
    for (size_t i = 4000; i < lower.size(); ++i) lower[i] = 1;
    lesson.direct[1].mask = lower.data();
    if (unknown < 2) lesson.direct[unknown].mask = nullptr;
    const methods::Settings whole{{"wholeMasks", true}};
    Training counts = lesson.begin();
    Training masks = lesson.begin(whole);
    EXPECT_EQ(counts.step(lesson.direct).total, masks.step(lesson.direct).total);
    EXPECT_EQ(counts.state().at("grad.gain").data, masks.state().at("grad.gain").data);

    // Features of the cache beside masks of the caller.
    std::vector<TrainItem> kept = lesson.direct;
    for (size_t i = 0; i < 2; ++i) kept[i].features = lesson.cached[i].features;
    EXPECT_EQ(counts.step(kept).total, masks.step(kept).total);
  }
}

TEST(Toy, WholeMasksAreNotLeftOutInSilence) {
  const Lesson lesson;
  Training masks = lesson.begin({{"wholeMasks", true}});
  try {
    masks.step(lesson.cached);
    FAIL() << "learned without masks";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "E_TRAIN_FEATURES");
  }
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
    return TrainItem{true, "", "", pictures.items[picture].picture, mask.data(), name};
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
