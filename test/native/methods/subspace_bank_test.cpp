// Banks of the kind "subspace" through the engine.
#include <gtest/gtest.h>

#include "../weights/error_of.h"
#include "../weights/scratch_folder.h"
#include "bank_fixture.h"
#include "normals/bank.h"

namespace crane {
namespace {

using weights::thrown_by;

ScoreOptions comparing(const methods::Settings& more = {}) {
  return comparing_with({{"bankBlocks", std::vector<double>{2}},
                         {"turns", 2.0},
                         {"bankKind", std::string("subspace")},
                         {"bankVariance", 0.9}},
                        more);
}

class SubspaceBanks : public BankTest {
 protected:
  SubspaceBanks() : BankTest(comparing()) {}
};

TEST_F(SubspaceBanks, HaveTheSameBitsHoweverTheyCameAbout) {
  const ScoreOutcome wanted = score(4, learn({0, 1, 2}));
  EXPECT_GT(wanted.score, 1e-4);
  EXPECT_LE(wanted.map_max(), 1);
  const weights::ScratchFolder folder;
  const int64_t backwards = joined({learn({2}), learn({1, 0})});
  engine.write_context(backwards, folder.file("bank"), {});
  for (const int64_t bank : {joined({learn({0}), learn({1, 2})}), backwards, opened(folder.file("bank"))}) {
    EXPECT_EQ(score(4, bank).score, wanted.score);
    EXPECT_EQ(score(4, bank).map, wanted.map);
  }
  std::vector<ScoreItem> items = pictures.items;
  for (ScoreItem& item : items) item.context = backwards;
  EXPECT_EQ(engine.score(items, comparing(), nullptr)[4].score, wanted.score);
}

TEST_F(SubspaceBanks, AreOfAllCopiesAndHoldAShareOfTheirVariance) {
  const int64_t bank = learn({0, 1});
  const weights::ScratchFolder folder;
  engine.write_context(bank, folder.file("bank"), {});
  const normals::Bank read = normals::Bank::read(folder.file("bank"), at::kCPU);
  for (int64_t p = 0; p < 2; ++p) {
    const auto rows = static_cast<double>(2 * read.grid().count());
    EXPECT_EQ(read.spread()->counts[static_cast<size_t>(p)], rows);
    // The squared lengths of all rows, each of which is 1.
    EXPECT_NEAR(read.spread()->moments[p].slice(0, 1).trace().item<double>(), rows, 1e-3);
  }
  EXPECT_GT(score(4, bank).score, score(4, learn({0, 1}, comparing({{"bankVariance", 0.999}}))).score);
  EXPECT_GT(score(4, bank).score, score(0, bank).score) << "a picture of the bank is nearer";
}

TEST_F(SubspaceBanks, OwnScoresAreThoseAgainstTheOthers) {
  const auto own = engine.own_scores(learn({0, 1, 2}), comparing(), nullptr);
  ASSERT_EQ(own.size(), 3u);
  const std::vector<size_t> others[] = {{1, 2}, {0, 2}, {0, 1}};
  for (size_t i = 0; i < 3; ++i) {
    const ScoreOutcome wanted = score(i, learn(others[i]));
    EXPECT_EQ(own[i].score, wanted.score) << i;
    EXPECT_EQ(own[i].map_max(), wanted.map_max()) << i;
  }
  EXPECT_EQ(engine.own_scores(learn({0}), comparing(), nullptr).front().score, 1);
  // Pictures that are no part of it are kept as rows.
  methods::Material asked;
  asked.handles = {{"bank", {learn({0, 1})}},
                   {"pictures", {learn({4}, comparing({{"bankKind", std::string("nearest")}}))}}};
  const auto of_asked = engine.own_scores(engine.add_context(asked, comparing()), comparing(), nullptr);
  EXPECT_EQ(of_asked.front().score, score(4, learn({0, 1})).score);
}

TEST_F(SubspaceBanks, WhatDoesNotFitIsRefused) {
  const auto code = [&](const auto& call) { return thrown_by(call).code; };
  const ScoreOptions nearest = comparing({{"bankKind", std::string("nearest")}});
  EXPECT_EQ(code([&] { joined({learn({0}), learn({1}, nearest)}); }), "E_NORMALS");
  EXPECT_EQ(code([&] { joined({learn({0}), learn({1}, comparing({{"bankVariance", 0.8}}))}); }), "E_NORMALS");
  EXPECT_EQ(code([&] { score(4, learn({0, 1}), comparing({{"mutual", true}})); }), "E_NORMALS");
  EXPECT_EQ(code([&] { comparing({{"bankVariance", 1.0}}); }), "E_MODEL_CONFIG");
  EXPECT_EQ(code([&] { comparing({{"bankKind", std::string("other")}}); }), "E_MODEL_CONFIG");
  const weights::ScratchFolder folder;
  engine.write_context(learn({0}), folder.file("bank"), {});
  EXPECT_EQ(code([&] { opened(folder.file("bank")); }), "");
  EXPECT_EQ(code([&] { opened(folder.file("bank"), nearest); }), "E_NORMALS") << "it holds another kind";
  engine.write_context(learn({0}, nearest), folder.file("bank"), {});
  EXPECT_EQ(code([&] { opened(folder.file("bank")); }), "E_NORMALS");
}

}  // namespace
}  // namespace crane
