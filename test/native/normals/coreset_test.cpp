// The choice of rows against the definition, one choice after the other.
#include "normals/coreset.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "normals/search.h"

namespace crane::normals {
namespace {

// Unit rows about a few middles, some of them equal.
at::Tensor rows_of(int64_t count, int64_t depth, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  at::Tensor rows = at::empty({count, depth}, at::kFloat);
  auto* out = rows.mutable_data_ptr<float>();
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t k = 0; k < depth; ++k)
      *out++ = (k == i % 5 ? 3.0F : 0.0F) + (i % 7 == 0 ? 0.1F * static_cast<float>(k) : normal(random));
  }
  return rows / rows.norm(2, 1, true);
}

std::vector<int64_t> one_by_one(const at::Tensor& rows, int64_t count) {
  const at::Tensor values = rows.to(at::kDouble);
  std::vector<int64_t> chosen{values.mv(values.mean(0)).argmin().item<int64_t>()};
  std::vector<float> near(static_cast<size_t>(rows.size(0)), -1);
  while (static_cast<int64_t>(chosen.size()) < count) {
    const at::Tensor cosines = nearest_cosines(rows, rows.slice(0, chosen.back(), chosen.back() + 1));
    for (size_t i = 0; i < near.size(); ++i)
      near[i] = std::max(near[i], cosines[static_cast<int64_t>(i)].item<float>());
    for (const int64_t taken : chosen) near[static_cast<size_t>(taken)] = INFINITY;
    chosen.push_back(std::ranges::min_element(near) - near.begin());
  }
  return chosen;
}

TEST(Coreset, IsTheGreedyChoiceOneRowAfterTheOther) {
  // More rows than are candidates at once, so that some wait, and fewer.
  for (const int64_t count : {2000, 600, 40}) {
    const at::Tensor rows = rows_of(count, 12, static_cast<uint32_t>(count));
    const auto some = std::min<int64_t>(count - 1, 300);
    EXPECT_EQ(farthest_first(rows, some), one_by_one(rows, some)) << count << " rows";
  }
}

TEST(Coreset, HoldsEachRowOnceAndAllWhereMoreAreAsked) {
  const at::Tensor rows = rows_of(600, 4, 9);
  const auto chosen = farthest_first(rows, 599);
  EXPECT_EQ(std::set<int64_t>(chosen.begin(), chosen.end()).size(), 599u);
  const auto all = farthest_first(rows, 5000);
  ASSERT_EQ(all.size(), 600u);
  EXPECT_EQ(all.back(), 599);
}

}  // namespace
}  // namespace crane::normals
