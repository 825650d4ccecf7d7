// Banks that leave out a plain background, through the engine and as files.
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "../engine/synthetic_model.h"
#include "../weights/error_of.h"
#include "../weights/scratch_folder.h"
#include "engine/engine.h"
#include "normals/bank.h"
#include "normals/foreground.h"

namespace crane {
namespace {

using normals::Bank;
using weights::thrown_by;

constexpr int64_t k_side = 140;
constexpr double k_all = 1.0;

// A square of blocks of noise before white; without a square, noise alone.
std::vector<uint8_t> square(uint32_t seed, bool has_background) {
  std::mt19937 random(seed);
  std::vector<uint8_t> rgb(static_cast<size_t>(k_side * k_side * 3));
  for (int64_t y = 0; y < k_side; ++y) {
    for (int64_t x = 0; x < k_side; ++x) {
      const bool is_in = y >= 42 && y < 98 && x >= 42 && x < 98;
      for (int64_t c = 0; c < 3; ++c) {
        const auto noise = static_cast<uint8_t>(random() % 60);
        rgb[static_cast<size_t>((y * k_side + x) * 3 + c)] =
            is_in || !has_background ? noise : static_cast<uint8_t>(250 + noise % 3);
      }
    }
  }
  return rgb;
}

ScoreOptions comparing(const methods::Settings& more = {}) {
  methods::Settings settings = {
      {"bankBlocks", std::vector<double>{1}}, {"turns", 2.0}, {"topShare", k_all}, {"bankForeground", true}};
  for (const auto& [name, value] : more) settings[name] = value;
  return {methods::make("normals", settings), "", /*sigma=*/0};
}

class ForegroundBanks : public ::testing::Test {
 protected:
  ForegroundBanks() {
    for (uint32_t i = 0; i < 4; ++i) pixels.push_back(square(i + 1, i < 3));
  }
  image::PictureView picture(size_t which) const {
    return {pixels[which].data(), k_side, k_side, image::Mode::rgb};
  }
  int64_t learn(const std::vector<size_t>& which, const ScoreOptions& how = comparing()) {
    methods::Material material;
    for (const size_t i : which) material.normals.push_back(picture(i));
    return engine.add_context(material, how);
  }
  int64_t joined(const std::vector<int64_t>& banks, const ScoreOptions& how = comparing()) {
    methods::Material parts;
    parts.handles["bank"] = banks;
    return engine.add_context(parts, how);
  }
  ScoreOutcome score(size_t which, int64_t bank, const ScoreOptions& how = comparing()) {
    ScoreItem item;
    item.picture = picture(which);
    item.context = bank;
    item.wants_map = true;
    return engine.score(std::vector{item}, how, nullptr).front();
  }
  Bank as_file(int64_t bank) {
    engine.write_context(bank, path, {});
    return Bank::read(path, at::kCPU);
  }
  int64_t opened(const ScoreOptions& how = comparing()) {
    methods::Material material;
    material.files["bank"] = path;
    return engine.add_context(material, how);
  }
  // Of what was scored, as scoring tells it.
  static double left_out(const ScoreOutcome& outcome) { return outcome.parts[1]; }

  weights::ScratchFolder folder;
  std::string path = folder.file("bank");
  SyntheticModel model{64, 3, k_side};
  Engine engine{model.config};
  std::vector<std::vector<uint8_t>> pixels;
};

TEST_F(ForegroundBanks, HoldTheRowsOfTheThingAndTheWholeUprightCopy) {
  const int64_t bank = learn({0, 1, 3});
  const auto left = engine.left_out(bank);
  ASSERT_EQ(left.size(), 3U);
  EXPECT_GT(left[0].left_out, 0);
  EXPECT_EQ(left[2].left_out, 0) << "noise everywhere: taken whole";
  EXPECT_EQ(left[0].patches, 200);
  const Bank some = as_file(bank);
  const Bank all = as_file(learn({0, 1, 3}, comparing({{"bankForeground", false}})));
  std::vector<at::Tensor> shown;
  for (int64_t p = 0; p < 3; ++p) {
    EXPECT_TRUE(some.upright(p).equal(all.upright(p)));
    for (int64_t copy = 0; copy < 2; ++copy) {
      const int64_t first = all.of_picture(p).first + copy * 100;
      const at::Tensor rows = all.rows().slice(0, first, first + 100);
      const normals::Foreground found = normals::foreground_of(rows, all.grid());
      shown.push_back(rows.index_select(0, found.kept.nonzero().flatten()));
    }
    EXPECT_EQ(some.searched_of(p).last - some.searched_of(p).first,
              left[static_cast<size_t>(p)].patches - left[static_cast<size_t>(p)].left_out);
  }
  EXPECT_TRUE(some.searched().equal(at::cat(shown)));
  EXPECT_TRUE(engine.left_out(learn({0}, comparing({{"bankForeground", false}}))).empty());
}

TEST_F(ForegroundBanks, CompareTheThingAlone) {
  const int64_t bank = learn({0, 1});
  const ScoreOutcome found = score(2, bank);
  methods::Material one;
  one.normals.push_back(picture(2));
  const Bank part = as_file(engine.add_context(one, comparing({{"turns", 1.0}, {"bankForeground", false}})));
  const Bank others = as_file(bank);
  const normals::Foreground shown = normals::foreground_of(part.rows(), part.grid());
  ASSERT_GT(shown.left_out, 0);
  EXPECT_EQ(left_out(found), static_cast<double>(shown.left_out));
  const at::Tensor far =
      normals::distances(normals::nearest_cosines(part.rows().contiguous(), others.searched().contiguous()));
  EXPECT_NEAR(found.score, far.mul(shown.kept).to(at::kDouble).mean().item<double>(), 1e-9);
  EXPECT_EQ(found.map.front(), 0) << "a corner of the background";
  const ScoreOutcome whole = score(3, bank);
  EXPECT_EQ(left_out(whole), 0);
  EXPECT_GT(whole.map.front(), 0);
}

TEST_F(ForegroundBanks, GiveTheSameHoweverTheyCameAbout) {
  for (const char* kind : {"nearest", "subspace"}) {
    const ScoreOptions how = comparing({{"bankKind", std::string(kind)}});
    const int64_t bank = learn({0, 1, 3}, how);
    const ScoreOutcome wanted = score(2, bank);
    const auto own = engine.own_scores(bank, how, nullptr);
    as_file(bank);
    for (const int64_t other : {joined({learn({0}, how), learn({1, 3}, how)}), opened(how)}) {
      EXPECT_EQ(score(2, other).map, wanted.map) << kind;
      EXPECT_EQ(engine.left_out(other)[1].left_out, engine.left_out(bank)[1].left_out) << kind;
      EXPECT_EQ(engine.own_scores(other, how, nullptr)[1].score, own[1].score) << kind;
    }
    // A picture that a bank remembers is masked as one that is scored.
    methods::Material asked;
    asked.handles = {{"bank", {bank}},
                     {"pictures", {learn({2}, comparing({{"turns", 1.0}, {"bankForeground", false}}))}}};
    const auto one = engine.own_scores(engine.add_context(asked, comparing()), comparing(), nullptr);
    EXPECT_EQ(one.front().score, wanted.score) << kind;
    EXPECT_EQ(left_out(one.front()), left_out(wanted)) << kind;
  }
}

TEST_F(ForegroundBanks, LeaveAPictureOfTheirOwnOut) {
  const int64_t bank = learn({0, 1, 2});
  const auto own = engine.own_scores(bank, comparing(), nullptr);
  EXPECT_EQ(own[2].score, score(2, learn({0, 1})).score);
  const Bank rounded = as_file(learn({0, 1}, comparing({{"bankPrecision", std::string("bfloat16")}})));
  EXPECT_TRUE(rounded.searched().equal(rounded.searched().to(at::kBFloat16).to(at::kFloat)));
}

TEST_F(ForegroundBanks, MayHaveTheirRowsChosen) {
  const int64_t bank = learn({0, 1});
  const Bank some = as_file(joined({bank}, comparing({{"bankSize", 10.0}})));
  EXPECT_EQ(some.searched().size(0), 10);
  EXPECT_TRUE(some.background().has_value());
  EXPECT_GT(left_out(score(2, opened(comparing({{"bankSize", 10.0}})))), 0);
}

TEST_F(ForegroundBanks, AreOnesOfTheirOwnKind) {
  const auto code = [&](const auto& call) { return thrown_by(call).code; };
  const ScoreOptions whole = comparing({{"bankForeground", false}});
  EXPECT_EQ(code([&] { joined({learn({0}), learn({1}, whole)}); }), "E_NORMALS");
  as_file(learn({0}));
  EXPECT_EQ(code([&] { opened(whole); }), "E_NORMALS") << "it says to be whole";
  as_file(learn({0}, whole));
  EXPECT_EQ(code([&] { opened(); }), "E_NORMALS") << "it says to leave out";
  EXPECT_EQ(code([&] { score(2, learn({0, 1}), comparing({{"mutual", true}})); }), "E_NORMALS");
}

}  // namespace
}  // namespace crane
