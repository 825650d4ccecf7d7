// Pictures that are scored by each other, through the engine.
#include "normals/mutual.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>

#include "../engine/noise_pictures.h"
#include "../engine/synthetic_model.h"
#include "../weights/error_of.h"
#include "../weights/scratch_folder.h"

namespace crane {
namespace {

using weights::thrown_by;

ScoreOptions comparing(const methods::Settings& more = {}) {
  methods::Settings settings = {{"bankBlocks", std::vector<double>{2}},
                                {"turns", 1.0},
                                {"mutual", true},
                                {"mutualNeighbourhoods", std::vector<double>{1, 3, 5}}};
  for (const auto& [name, value] : more) settings[name] = value;
  return {methods::make("normals", settings), "", /*sigma_px=*/2};
}

class Mutual : public ::testing::Test {
 protected:
  Mutual() {
    for (size_t i = 0; i < pictures.items.size(); ++i) {
      engine.write_context(learn({i}), path(i), {});
    }
  }
  std::string path(size_t i) const { return folder.file("p" + std::to_string(i)); }
  int64_t learn(std::vector<size_t> which) {
    methods::Material material;
    for (const size_t i : which) material.normals.push_back(pictures.items[i].picture);
    return engine.add_context(material, comparing());
  }
  int64_t set_of(const std::vector<size_t>& which) {
    methods::Material material;
    for (size_t i = 0; i < which.size(); ++i) {
      material.files["picture." + std::to_string(i)] = path(which[i]);
    }
    return engine.add_context(material, comparing());
  }
  int64_t one_of(int64_t set, size_t which) {
    methods::Material material;
    material.handles["mutual"] = {set};
    material.files["picture"] = path(which);
    return engine.add_context(material, comparing());
  }
  ScoreOutcome score(size_t which, int64_t context, const ScoreOptions& how = comparing()) {
    ScoreItem item = pictures.items[which];
    item.context = context;
    item.wants_map = true;
    return engine.score(std::vector{item}, how, nullptr).front();
  }

  const weights::ScratchFolder folder;
  SyntheticModel model{64, 3, 84};
  Engine engine{model.config};
  Pictures pictures{5, 100, 90, 0};
};

// The plain face: a bank of all, of which each is left out in its turn.
TEST_F(Mutual, FilesGiveTheBitsOfABankInMemory) {
  const int64_t set = set_of({0, 1, 2, 3, 4});
  for (const ScoreOptions& how :
       {comparing(), comparing({{"mutualShare", 1.0}, {"mutualNeighbourhoods", std::vector<double>{3}}})}) {
    const auto own = engine.own_scores(learn({0, 1, 2, 3, 4}), how, nullptr);
    for (size_t i = 0; i < 5; ++i) {
      const ScoreOutcome found = score(i, one_of(set, i), how);
      EXPECT_EQ(found.score, own[i].score) << i;
      EXPECT_EQ(found.map_max(), own[i].map_max()) << i;
      EXPECT_GT(found.score, 0.001);
    }
  }
}

TEST_F(Mutual, NeitherOrderNorWhatIsAskedBeforeDecidesABit) {
  const int64_t set = set_of({0, 1, 2, 3, 4});
  const int64_t other = set_of({3, 1, 4, 0, 2});
  const ScoreOutcome last = score(2, one_of(other, 2));
  for (size_t i = 0; i < 5; ++i) {
    const ScoreOutcome a = score(i, one_of(set, i));
    const ScoreOutcome b = score(i, one_of(other, i));
    EXPECT_EQ(a.score, b.score) << i;
    EXPECT_EQ(a.map, b.map) << i;
  }
  EXPECT_EQ(last.map, score(2, one_of(set, 2)).map);
}

TEST_F(Mutual, WithoutNeighboursItIsTheNearestPicturesOfTheOthers) {
  const methods::Settings plain = {{"mutualNeighbourhoods", std::vector<double>{1}}, {"mutualShare", 0.5}};
  const int64_t set = set_of({0, 1, 2, 3, 4});
  const ScoreOptions two = comparing({{"mutual", false}, {"neighbours", 2.0}});
  const auto own = engine.own_scores(learn({0, 1, 2, 3, 4}), two, nullptr);
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(score(i, one_of(set, i), comparing(plain)).score, own[i].score) << i;
    EXPECT_NE(score(i, one_of(set, i)).score, own[i].score) << i;
  }
}

// As pictures in parallel ask, each in its lane; with other options every time, so that nothing is remembered
// and what one finds is none of the other's.
TEST_F(Mutual, TwoThreadsAskAtOnce) {
  const std::vector<std::string> paths{path(0), path(1), path(2), path(3), path(4)};
  const normals::MutualOptions options[] = {{{1, 3, 5}, 0.3}, {{1}, 1.0}};
  std::vector<at::Tensor> wanted[2];
  for (size_t t = 0; t < 2; ++t) {
    normals::PictureFiles alone(paths, at::kCPU);
    for (int64_t p = 0; p < 5; ++p) wanted[t].push_back(alone.distances(p, options[t]));
  }
  normals::PictureFiles files(paths, at::kCPU);
  std::atomic<int> wrong{0};
  std::latch both{2};
  const auto ask = [&](size_t t) {
    both.arrive_and_wait();
    for (size_t round = 0; round < 40; ++round) {
      const size_t way = (round + t) % 2;
      const size_t p = round % 5;
      if (!files.distances(static_cast<int64_t>(p), options[way]).equal(wanted[way][p])) ++wrong;
    }
  };
  std::thread other(ask, 1);
  ask(0);
  other.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(Mutual, WhatIsNoneOfThePicturesIsRefused) {
  const auto code = [&](const auto& call) { return thrown_by(call).code; };
  const int64_t set = set_of({0, 1});
  EXPECT_EQ(code([&] { score(0, set); }), "E_NORMALS");
  EXPECT_EQ(code([&] { one_of(set, 2); }), "E_NORMALS");
  EXPECT_EQ(code([&] { score(0, learn({0, 1})); }), "E_NORMALS") << "a bank";
  EXPECT_EQ(code([&] { score(0, one_of(set_of({0}), 0)); }), "E_NORMALS") << "alone";
  EXPECT_EQ(code([&] { one_of(learn({0}), 0); }), "E_USAGE");
  engine.write_context(learn({0, 1}), path(4), {});
  EXPECT_EQ(code([&] { set_of({0, 4}); }), "E_NORMALS") << "a file of two";
  for (const std::vector<double>& sides : {std::vector<double>{}, {2}, {1, 0}, {101}}) {
    EXPECT_EQ(code([&] { comparing({{"mutualNeighbourhoods", sides}}); }), "E_MODEL_CONFIG");
  }
}

}  // namespace
}  // namespace crane
