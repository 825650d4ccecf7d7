// Counts of masks in files of the feature cache that several change at once.
#include "train/stored_features.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <thread>

#include "core/error.h"
#include "train/feature_file.h"

namespace crane::train {
namespace {

constexpr int64_t k_cells = 6;
const FeatureSizes k_sizes{{"features", {2, 3}}};

class SharedFeatureCache : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / join_text("crane-features-", ::getpid());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path() const { return folder_ / "a.safetensors"; }
  void write(std::span<const MaskCells> masks) const {
    write_feature_file(path(), {{"features", at::ones({2, 3})}}, FeaturePrecision::f32, masks);
  }
  FeatureCheck check() const { return check_features(path(), k_sizes, k_cells); }

  static MaskCells mask(const std::string& name, uint32_t count) {
    return {name, std::vector<uint32_t>(k_cells, count)};
  }

 private:
  std::filesystem::path folder_;
};

TEST_F(SharedFeatureCache, KeepsTheCountsOfAllWhoAddAtOnce) {
  write({});
  constexpr int k_writers = 4;
  constexpr int k_masks = 25;
  std::vector<std::thread> writers;
  for (int writer = 0; writer < k_writers; ++writer) {
    writers.emplace_back([this, writer] {
      for (int i = 0; i < k_masks; ++i) {
        const MaskCells one = mask(join_text("m", writer, "-", i), static_cast<uint32_t>(i));
        add_cells(path(), k_sizes, k_cells, {&one, 1});
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  const FeatureCheck found = check();
  EXPECT_EQ(found.state, FeatureState::whole);
  EXPECT_EQ(found.masks.size(), static_cast<size_t>(k_writers * k_masks));
  EXPECT_EQ(found.masks.at("m3-24"), 24u * k_cells);
}

TEST_F(SharedFeatureCache, FeaturesThatAreWrittenAgainKeepTheCountsOfOthers) {
  const MaskCells theirs = mask("theirs", 5);
  const MaskCells both = mask("both", 1);
  write(std::array{theirs, both});
  write(std::array{mask("both", 2), mask("ours", 3)});
  EXPECT_EQ(check().masks, (std::map<std::string, uint64_t>{{"both", 12}, {"ours", 18}, {"theirs", 30}}));
}

TEST_F(SharedFeatureCache, CountsOfADamagedFileAreNotCarriedOn) {
  write(std::array{mask("theirs", 5)});
  {
    std::FILE* file = std::fopen(path().c_str(), "r+b");
    std::fseek(file, -1, SEEK_END);
    const int last = std::fgetc(file);
    std::fseek(file, -1, SEEK_END);
    std::fputc(last ^ 1, file);
    std::fclose(file);
  }
  ASSERT_EQ(check().state, FeatureState::damaged);
  write(std::array{mask("ours", 3)});
  EXPECT_EQ(check().masks, (std::map<std::string, uint64_t>{{"ours", 18}}));
}

}  // namespace
}  // namespace crane::train
