#include "text/ensemble.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include <fstream>

#include "plain_text.h"
#include "text/kept_vectors.h"

namespace crane::text {
namespace {

namespace fs = std::filesystem;

const SentenceGroups k_groups{{"anomalous", {{1, 4, 9, 0}, {1, 5, 6, 9}}},
                              {"normal", {{1, 2, 3, 9}, {1, 2, 9, 0}, {1, 7, 7, 9}}}};

struct Example {
  SyntheticModel model{64, 2, 56};
  plain::PlainTower loops{model};
  LazyTower tower;
  fs::path folder = fs::temp_directory_path() / join_text("crane-ensemble-", ::getpid());

  Example() {
    tower.open(loops.weights(), {}, at::kCPU);
    fs::create_directories(folder);
  }
  ~Example() { fs::remove_all(folder); }
  std::string file() const { return (folder / "kept.safetensors").string(); }
};

TEST(MeanVector, OfRawFeaturesWeighsLongOnesMore) {
  const at::Tensor features = at::tensor({3.0f, 0.0f, 0.0f, 1.0f}).view({2, 2});
  const at::Tensor raw = mean_vector(features, Mean::raw);
  EXPECT_NEAR(raw[0].item<double>(), 3 / std::sqrt(10.0), 1e-6);
  EXPECT_NEAR(raw[1].item<double>(), 1 / std::sqrt(10.0), 1e-6);
  const at::Tensor unit = mean_vector(features, Mean::unit);
  EXPECT_NEAR(unit[0].item<double>(), std::sqrt(0.5), 1e-6);
  EXPECT_NEAR(unit[1].item<double>(), std::sqrt(0.5), 1e-6);
}

TEST(EncodeGroups, GivesEverySentencesFeaturesInItsOrder) {
  const Example example;
  const auto features = encode_groups(example.tower, k_groups, "");
  ASSERT_EQ(features.size(), 2u);
  for (const auto& [name, sentences] : k_groups) {
    ASSERT_EQ(features.at(name).size(0), static_cast<int64_t>(sentences.size()));
    for (size_t s = 0; s < sentences.size(); ++s) {
      EXPECT_LT(plain::worst(features.at(name)[static_cast<int64_t>(s)], example.loops.encode(sentences[s])),
                2e-5);
    }
  }
}

TEST(EncodeGroups, KeepsThemAndReadsThemWithoutTheTower) {
  const Example example;
  const auto made = encode_groups(example.tower, k_groups, example.file());
  ASSERT_TRUE(fs::exists(example.file()));

  // Another value in the file shows that the tower was not asked.
  auto changed = made;
  changed.at("normal") = made.at("normal") + 1;
  keep(example.file(), changed);
  const auto read = encode_groups(example.tower, k_groups, example.file());
  EXPECT_TRUE(at::equal(read.at("normal"), changed.at("normal")));
  EXPECT_TRUE(at::equal(read.at("anomalous"), made.at("anomalous")));
}

TEST(EncodeGroups, EncodesAgainWhereTheFileIsOfOtherGroupsOrDamaged) {
  const Example example;
  const auto made = encode_groups(example.tower, k_groups, "");
  SentenceGroups fewer = k_groups;
  fewer["normal"].pop_back();
  encode_groups(example.tower, fewer, example.file());
  EXPECT_TRUE(
      at::equal(encode_groups(example.tower, k_groups, example.file()).at("normal"), made.at("normal")));
  EXPECT_EQ(read_kept(example.file(), {{"normal", {3, 64}}, {"anomalous", {2, 64}}}).size(), 2u);

  std::ofstream(example.file(), std::ios::binary) << "not a weight file";
  EXPECT_TRUE(
      at::equal(encode_groups(example.tower, k_groups, example.file()).at("normal"), made.at("normal")));
}

TEST(EncodeGroups, GoOnWhereNothingCanBeKept) {
  const Example example;
  const auto made = encode_groups(example.tower, k_groups, "");
  const auto again = encode_groups(example.tower, k_groups, (example.folder / "no" / "folder").string());
  EXPECT_TRUE(at::equal(again.at("normal"), made.at("normal")));
}

}  // namespace
}  // namespace crane::text
