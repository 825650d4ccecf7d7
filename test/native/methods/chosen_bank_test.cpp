// Banks of chosen rows and of rounded ones, through the engine and as files.
#include <ATen/ops/cat.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "../weights/error_of.h"
#include "../weights/scratch_folder.h"
#include "bank_fixture.h"
#include "normals/bank.h"
#include "normals/coreset.h"
#include "weights/tensor_view.h"

namespace crane {
namespace {

using normals::Bank;
using weights::thrown_by;

constexpr double k_top_share = 0.01;  // the method's own

ScoreOptions comparing(const methods::Settings& more = {}) {
  return comparing_with({{"bankBlocks", std::vector<double>{2}}, {"turns", 2.0}}, more);
}
ScoreOptions choosing(double size) { return comparing({{"bankSize", size}}); }
ScoreOptions rounding(const std::string& to) { return comparing({{"bankPrecision", to}}); }

class ChosenBanks : public BankTest {
 protected:
  ChosenBanks() : BankTest(comparing()) {}

  Bank as_file(int64_t bank) {
    engine.write_context(bank, path, {});
    return Bank::read(path, at::kCPU);
  }

  weights::ScratchFolder folder;
  std::string path = folder.file("bank");
};

TEST_F(ChosenBanks, HoldTheRowsThatAreFarthestFirst) {
  const Bank all = as_file(learn({0, 1, 2}));
  const Bank some = as_file(learn({0, 1, 2}, choosing(50)));
  auto which = normals::farthest_first(all.rows().contiguous(), 50);
  std::ranges::sort(which);
  ASSERT_TRUE(some.chosen().has_value());
  EXPECT_TRUE(some.searched().equal(all.rows().index_select(0, at::tensor(which, at::kLong))));
  EXPECT_EQ(some.pictures(), 3);
  for (int64_t p = 0; p < 3; ++p) {
    EXPECT_TRUE(some.upright(p).equal(all.upright(p))) << "for its own score";
    const normals::LeftOut of = some.searched_of(p);
    for (int64_t i = of.first; i < of.last; ++i) {
      EXPECT_GE(which[static_cast<size_t>(i)], all.of_picture(p).first);
      EXPECT_LT(which[static_cast<size_t>(i)], all.of_picture(p).last);
    }
  }
  EXPECT_EQ(some.searched_of(2).last, 50);
}

TEST_F(ChosenBanks, ScoreByTheNearestChosenRow) {
  const ScoreOptions one = comparing({{"neighbours", 1.0}});
  const int64_t all = learn({0, 1, 2});
  const int64_t some = learn({0, 1, 2}, choosing(50));
  const auto far = [&](int64_t bank) {
    return score(4, bank, comparing({{"neighbours", 1.0}, {"topShare", 1.0}})).score;
  };
  EXPECT_GT(far(some), far(all)) << "fewer rows are farther";
  EXPECT_EQ(score(4, some).score, score(4, some, comparing({{"neighbours", 3.0}})).score);
  EXPECT_EQ(score(4, learn({0, 1, 2}, choosing(9999))).score, score(4, all, one).score) << "all of them";
  // However it came about.
  const ScoreOutcome wanted = score(4, some);
  as_file(some);
  for (const int64_t bank : {joined({learn({0}), learn({1, 2})}, choosing(50)), opened(path, choosing(50))}) {
    EXPECT_EQ(score(4, bank).score, wanted.score);
    EXPECT_EQ(score(4, bank).map, wanted.map);
  }
}

TEST_F(ChosenBanks, OwnScoresLeaveThePicturesRowsOut) {
  const int64_t bank = learn({0, 1, 2}, choosing(50));
  const Bank read = as_file(bank);
  const auto own = engine.own_scores(bank, comparing(), nullptr);
  for (int64_t p = 0; p < 3; ++p) {
    const normals::LeftOut of = read.searched_of(p);
    const at::Tensor others =
        at::cat({read.searched().slice(0, 0, of.first), read.searched().slice(0, of.last)});
    const at::Tensor far =
        normals::distances(normals::nearest_cosines(read.upright(p).contiguous(), others.contiguous()));
    EXPECT_EQ(own[static_cast<size_t>(p)].score, normals::top_mean(far, k_top_share).item<double>());
  }
}

// A picture that all of them are of would be as far as can be from the rest, of which nothing is left.
TEST_F(ChosenBanks, HaveNoOwnScoresWhereAllRowsAreOfOnePicture) {
  const auto own = [&](int64_t bank) { return engine.own_scores(bank, comparing(), nullptr); };
  EXPECT_EQ(thrown_by([&] { own(learn({0, 1, 2, 4}, choosing(1))); }).code, "E_NORMALS");
  EXPECT_EQ(own(learn({0}, choosing(1))).front().score, 1) << "a picture alone";
  EXPECT_EQ(own(learn({0, 1, 2}, choosing(50))).size(), 3u);
}

TEST_F(ChosenBanks, JoinNoOtherAndAreNoMutualOnes) {
  const auto code = [&](const auto& call) { return thrown_by(call).code; };
  const int64_t some = learn({0, 1}, choosing(50));
  EXPECT_EQ(code([&] { joined({some, learn({2})}); }), "E_NORMALS");
  EXPECT_EQ(code([&] { joined({some}, choosing(10)); }), "E_NORMALS") << "chosen of the chosen";
  EXPECT_EQ(code([&] { score(4, some, comparing({{"mutual", true}})); }), "E_NORMALS");
  EXPECT_EQ(code([&] {
              learn({0}, comparing({{"bankSize", 5.0}, {"bankKind", std::string("subspace")}}));
            }),
            "E_NORMALS");
  engine.write_context(learn({0}), path, {});
  EXPECT_EQ(code([&] { opened(path, choosing(50)); }), "E_NORMALS") << "a file that holds all rows";
  EXPECT_EQ(code([&] { opened(path, rounding("float16")); }), "E_NORMALS") << "a file that is not rounded";
}

TEST_F(ChosenBanks, RoundedRowsAreHalfAsLargeAndCompareInTheirPrecision) {
  const int64_t plain = learn({0, 1});
  const Bank exact = as_file(plain);
  const auto bytes = std::filesystem::file_size(path);
  for (const auto& [name, type] : {std::pair{"float16", at::kHalf}, std::pair{"bfloat16", at::kBFloat16}}) {
    const int64_t bank = learn({0, 1}, rounding(name));
    const Bank read = as_file(bank);
    EXPECT_LT(std::filesystem::file_size(path), bytes * 6 / 10);
    EXPECT_TRUE(read.rows().equal(exact.rows().to(type).to(at::kFloat)));
    EXPECT_EQ(read.precision(), type);
    const ScoreOutcome wanted = score(4, bank);
    EXPECT_NE(wanted.score, score(4, plain).score);
    EXPECT_NEAR(wanted.score, score(4, plain).score, 1e-3);
    EXPECT_EQ(score(4, opened(path, rounding(name))).map, wanted.map);
    EXPECT_LT(score(0, bank).score, 1e-2);
    // A picture that is scored is rounded as those of the bank are, so that it may be exchanged with them.
    methods::Material asked;
    asked.handles = {{"bank", {bank}}, {"pictures", {learn({4}, comparing({{"turns", 1.0}}))}}};
    const auto one = engine.own_scores(engine.add_context(asked, comparing()), comparing(), nullptr);
    EXPECT_EQ(one.front().score, wanted.score);
    const auto own = engine.own_scores(learn({0, 1, 4}, rounding(name)), comparing(), nullptr);
    EXPECT_EQ(own[2].score, wanted.score);
    // Chosen rows are rounded too.
    const Bank some =
        as_file(learn({0, 1}, comparing({{"bankSize", 20.0}, {"bankPrecision", std::string(name)}})));
    EXPECT_TRUE(some.searched().equal(some.searched().to(type).to(at::kFloat)));
    EXPECT_EQ(some.searched().size(0), 20);
    EXPECT_EQ(thrown_by([&] { joined({bank, plain}); }).code, "E_NORMALS");
  }
  EXPECT_EQ(thrown_by([&] {
              learn({0}, comparing({{"bankKind", std::string("subspace")},
                                    {"bankPrecision", std::string("float16")}}));
            }).code,
            "E_NORMALS");
}

}  // namespace
}  // namespace crane
