// The search, the distances and the turned copies against plain loops in double precision.
#include "normals/search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

#include "normals/turns.h"
#include "tensors/torch_headers.h"

namespace crane::normals {
namespace {

at::Tensor unit_noise(int64_t rows, int64_t depth, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  at::Tensor made = at::empty({rows, depth}, at::kFloat);
  for (int64_t i = 0; i < made.numel(); ++i) made.data_ptr<float>()[i] = normal(random);
  return made / made.norm(2, /*dim=*/1, /*keepdim=*/true);
}

std::vector<double> slow(const at::Tensor& rows, const at::Tensor& bank, LeftOut left_out) {
  std::vector<double> best;
  const int64_t depth = rows.size(1);
  for (int64_t i = 0; i < rows.size(0); ++i) {
    double largest = -1;
    for (int64_t j = 0; j < bank.size(0); ++j) {
      if (j >= left_out.first && j < left_out.last) continue;
      double product = 0;
      for (int64_t k = 0; k < depth; ++k) {
        product += static_cast<double>(rows.data_ptr<float>()[i * depth + k]) *
                   bank.data_ptr<float>()[j * depth + k];
      }
      largest = std::max(largest, product);
    }
    best.push_back(largest);
  }
  return best;
}

TEST(NearestCosines, AreThoseOfPlainLoops) {
  const at::Tensor rows = unit_noise(37, 96, 1);
  const at::Tensor bank = unit_noise(501, 96, 2);
  for (const LeftOut left_out : {LeftOut{}, LeftOut{0, 100}, LeftOut{100, 333}, LeftOut{333, 501}}) {
    const auto wanted = slow(rows, bank, left_out);
    const at::Tensor found = nearest_cosines(rows, bank, left_out);
    for (size_t i = 0; i < wanted.size(); ++i) EXPECT_NEAR(found.data_ptr<float>()[i], wanted[i], 1e-6) << i;
  }
}

TEST(NearestCosines, NothingIsLikeAnEmptyBank) {
  const at::Tensor rows = unit_noise(3, 16, 1);
  EXPECT_TRUE((nearest_cosines(rows, unit_noise(5, 16, 2), {0, 5}) == -1).all().item<bool>());
}

TEST(NearestCosines, NeitherOtherRowsNorTheOrderOfTheBankChangeABit) {
  const at::Tensor rows = unit_noise(70, 384, 3);
  const at::Tensor bank = unit_noise(700, 384, 4);
  const at::Tensor all = nearest_cosines(rows, bank);
  const at::Tensor backwards = at::cat({bank.slice(0, 350), bank.slice(0, 0, 350)}, 0).contiguous();
  const at::Tensor turned = nearest_cosines(rows, backwards);
  EXPECT_EQ(std::memcmp(all.data_ptr<float>(), turned.data_ptr<float>(), 70 * sizeof(float)), 0);
  for (int64_t i = 0; i < 70; i += 9) {
    const at::Tensor alone = nearest_cosines(rows.slice(0, i, i + 1).contiguous(), bank);
    EXPECT_EQ(std::memcmp(alone.data_ptr<float>(), all.data_ptr<float>() + i, sizeof(float)), 0) << i;
  }
}

TEST(Distances, AreHalfOfWhatIsMissingToOne) {
  const at::Tensor far = distances(at::tensor({1.0F, 0.5F, 0.0F, -1.0F, 1.0000001F}));
  const float wanted[] = {0, 0.25, 0.5, 1, 0};
  for (int i = 0; i < 5; ++i) EXPECT_EQ(far.data_ptr<float>()[i], wanted[i]) << i;
}

TEST(TopMean, TakesTheFarthestAndAtLeastOne) {
  const at::Tensor far = at::tensor({0.1F, 0.9F, 0.2F, 0.8F, 0.3F, 0.0F, 0.0F, 0.0F, 0.0F, 0.0F});
  EXPECT_NEAR(top_mean(far, 0.3).item<double>(), (0.9 + 0.8 + 0.3) / 3, 1e-7);
  EXPECT_NEAR(top_mean(far, 0.29).item<double>(), 0.85, 1e-7);
  EXPECT_NEAR(top_mean(far, 0).item<double>(), 0.9, 1e-7);
}

TEST(TurnedCopies, OfAQuarterAreThePictureTurned) {
  const int64_t side = 9;
  const at::Tensor image = unit_noise(3 * side, side, 5).view({1, 3, side, side});
  const auto copies = turned_copies(image, {4, /*is_mirrored=*/true});
  ASSERT_EQ(copies.size(), 8u);
  EXPECT_TRUE(copies[0].equal(image));
  const auto at = [&](const at::Tensor& of, int64_t c, int64_t y, int64_t x) {
    return of.const_data_ptr<float>()[(c * side + y) * side + x];
  };
  for (int64_t c = 0; c < 3; ++c) {
    for (int64_t y = 0; y < side; ++y) {
      for (int64_t x = 0; x < side; ++x) {
        // what stands at (y, x) after two quarters, and mirrored
        EXPECT_NEAR(at(copies[2], c, y, x), at(image, c, side - 1 - y, side - 1 - x), 1e-5);
        EXPECT_EQ(at(copies[4].contiguous(), c, y, x), at(image, c, y, side - 1 - x));
        // a quarter there and one back meet
        EXPECT_NEAR(at(copies[1], c, y, x), at(image, c, x, side - 1 - y), 1e-5);
        EXPECT_NEAR(at(copies[3], c, y, x), at(image, c, side - 1 - x, y), 1e-5);
      }
    }
  }
}

TEST(TurnedCopies, BringInNothingFromOutside) {
  const at::Tensor image = at::full({1, 3, 20, 30}, 0.7, at::kFloat);
  for (const at::Tensor& copy : turned_copies(image, {8, false})) {
    EXPECT_LT((copy - 0.7).abs().max().item<double>(), 1e-5);
  }
}

}  // namespace
}  // namespace crane::normals
