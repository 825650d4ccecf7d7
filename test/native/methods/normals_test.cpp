// Banks of normal pictures through the engine.
#include <gtest/gtest.h>

#include "../weights/error_of.h"
#include "../weights/scratch_folder.h"
#include "bank_fixture.h"

namespace crane {
namespace {

using weights::thrown_by;

ScoreOptions comparing(const methods::Settings& more = {}) {
  return comparing_with({{"bankBlocks", std::vector<double>{2}}, {"turns", 2.0}}, more);
}

class Normals : public BankTest {
 protected:
  Normals() : BankTest(comparing()) {}
};

TEST_F(Normals, APictureOfTheBankIsAtNoDistance) {
  const int64_t bank = learn({0, 1});
  EXPECT_LT(score(0, bank).score, 1e-6);
  EXPECT_GT(score(2, bank).score, 1e-3);
  EXPECT_LE(score(2, bank).map_max(), 1);
}

TEST_F(Normals, AFurtherPictureNeverRaisesAScore) {
  const int64_t few = learn({0, 1});
  const int64_t more = learn({0, 1, 2});
  for (const size_t i : {3, 4}) {
    EXPECT_LE(score(i, more).score, score(i, few).score);
    EXPECT_LE(score(i, more).map_max(), score(i, few).map_max());
  }
}

TEST_F(Normals, LearnedOneByOneAndJoinedIsLearnedTogether) {
  const ScoreOutcome apart = score(3, joined({learn({0}), learn({1, 2})}));
  const ScoreOutcome together = score(3, learn({0, 1, 2}));
  EXPECT_EQ(apart.score, together.score);
  EXPECT_EQ(apart.map, together.map);
}

TEST_F(Normals, OwnScoresAreThoseAgainstTheOthers) {
  const auto own = engine.own_scores(learn({0, 1, 2}), comparing(), nullptr);
  ASSERT_EQ(own.size(), 3u);
  const std::vector<size_t> others[] = {{1, 2}, {0, 2}, {0, 1}};
  for (size_t i = 0; i < 3; ++i) {
    const ScoreOutcome wanted = score(i, learn(others[i]));
    EXPECT_EQ(own[i].score, wanted.score) << i;
    EXPECT_EQ(own[i].map_max(), wanted.map_max()) << i;
  }
  EXPECT_EQ(engine.own_scores(learn({0}), comparing(), nullptr).front().score, 1);
}

TEST_F(Normals, NeighboursAreMeansOverTheNearestPicturesInWhateverOrder) {
  const ScoreOptions two = comparing({{"neighbours", 2.0}});
  const int64_t bank = learn({0, 1, 2});
  const ScoreOutcome near = score(3, bank, two);
  EXPECT_GT(near.score, score(3, bank).score);
  EXPECT_EQ(near.score, score(3, learn({2, 0, 1}), two).score);
  EXPECT_EQ(near.score, score(3, bank, comparing({{"neighbours", 3.0}})).score) << "at most all but one";
  EXPECT_EQ(score(3, learn({0}), two).score, score(3, learn({0})).score);
  // A further picture lowers distances, as long as there are neighbours enough.
  EXPECT_LE(score(4, learn({0, 1, 2, 3}), two).score, score(4, bank, two).score);
  // Own scores have the neighbours of the whole bank, among the others.
  const auto own = engine.own_scores(bank, two, nullptr);
  methods::Material asked;
  asked.handles = {{"bank", {learn({1, 2})}}, {"pictures", {learn({0}, comparing({{"turns", 1.0}}))}}};
  const auto one = engine.own_scores(engine.add_context(asked, comparing()), comparing(), nullptr);
  EXPECT_GT(own[0].score, one[0].score) << "two neighbours of the two others, not one";
}

TEST_F(Normals, ARememberedPictureScoresAgainstABankAsItselfDoes) {
  const int64_t bank = learn({0, 1});
  const int64_t remembered = learn({2}, comparing({{"turns", 1.0}}));
  methods::Material asked;
  asked.handles = {{"bank", {bank}}, {"pictures", {remembered}}};
  const auto own = engine.own_scores(engine.add_context(asked, comparing()), comparing(), nullptr);
  ASSERT_EQ(own.size(), 1u);
  const ScoreOutcome wanted = score(2, bank);
  EXPECT_EQ(own[0].score, wanted.score);
  EXPECT_EQ(own[0].map, wanted.map);
  EXPECT_EQ(own[0].map_width, 84);

  // Only of its own pictures one is left out.
  asked.handles["pictures"] = {remembered, bank};
  const auto several = engine.own_scores(engine.add_context(asked, comparing()), comparing(), nullptr);
  ASSERT_EQ(several.size(), 3u);
  EXPECT_EQ(several[0].score, wanted.score);
  EXPECT_TRUE(several[0].map.empty());
  EXPECT_LT(several[1].score, 1e-6);
  asked.handles["pictures"] = {learn({0}, comparing({{"bankBlocks", std::vector<double>{1}}}))};
  EXPECT_EQ(thrown_by([&] { engine.add_context(asked, comparing()); }).code, "E_NORMALS");
}

TEST_F(Normals, AFileGivesTheSameBits) {
  const weights::ScratchFolder folder;
  const int64_t learned = learn({0, 1});
  engine.write_context(learned, folder.file("bank"), {});
  const int64_t read = opened(folder.file("bank"));
  EXPECT_EQ(score(3, read).map, score(3, learned).map);
  EXPECT_EQ(score(3, read).score, score(3, learned).score);
}

TEST_F(Normals, BanksMixInACallWithoutChangingABit) {
  const int64_t a = learn({0, 1});
  const int64_t b = learn({2});
  std::vector<ScoreItem> items = pictures.items;
  for (size_t i = 0; i < items.size(); ++i) items[i].context = i % 2 == 0 ? a : b;
  const auto together = engine.score(items, comparing(), nullptr);
  for (size_t i = 0; i < items.size(); ++i) {
    const ScoreOutcome alone = score(i, items[i].context);
    EXPECT_EQ(together[i].score, alone.score) << i;
    EXPECT_EQ(together[i].map, alone.map) << i;
  }
}

TEST_F(Normals, EveryTowerAndSeveralBlocksHaveRows) {
  const ScoreOptions blocks = comparing({{"bankBlocks", std::vector<double>{1, 3}}, {"mirror", true}});
  const ScoreOptions source = comparing({{"bankTower", std::string("source")}});
  for (const ScoreOptions& how : {blocks, source}) {
    const int64_t bank = learn({0, 1}, how);
    EXPECT_LT(score(0, bank, how).score, 1e-6);
    EXPECT_GT(score(2, bank, how).score, 1e-4);
  }
}

TEST_F(Normals, WhatDoesNotFitIsRefused) {
  const auto code = [&](const auto& call) { return thrown_by(call).code; };
  EXPECT_EQ(code([&] { learn({}); }), "E_NORMALS");
  EXPECT_EQ(code([&] { learn({0}, comparing({{"bankBlocks", std::vector<double>{4}}})); }), "E_MODEL_CONFIG");
  EXPECT_EQ(code([&] {
              learn({0}, comparing({{"bankBlocks", std::vector<double>{2, 1}}}));
            }),
            "E_MODEL_CONFIG");
  EXPECT_EQ(code([&] { learn({0}, comparing({{"bankBlocks", std::vector<double>{}}})); }), "E_MODEL_CONFIG");
  EXPECT_EQ(code([&] { comparing({{"turns", 0.0}}); }), "E_MODEL_CONFIG");
  const int64_t texts = engine.add_context(model.material, model.options);
  EXPECT_EQ(code([&] { score(0, texts); }), "E_USAGE");
  EXPECT_EQ(code([&] { engine.own_scores(texts, comparing(), nullptr); }), "E_USAGE");
  EXPECT_EQ(code([&] { engine.write_context(texts, "nowhere", {}); }), "E_USAGE");

  const weights::ScratchFolder folder;
  engine.write_context(learn({0}), folder.file("bank"), {});
  methods::Material material;
  material.files["bank"] = folder.file("bank");
  SyntheticModel wide(128, 3, 84);
  Engine other(wide.config);
  EXPECT_EQ(code([&] { other.add_context(material, comparing()); }), "E_NORMALS");
  SyntheticModel larger(64, 3, 112);
  Engine larger_engine(larger.config);
  EXPECT_EQ(code([&] { larger_engine.add_context(material, comparing()); }), "E_NORMALS");
}

}  // namespace
}  // namespace crane
