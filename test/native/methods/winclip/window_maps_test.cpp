#include "methods/winclip/window_maps.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <limits>

#include "layers/linear.h"

namespace crane::methods::winclip {
namespace {

constexpr double k_infinity = std::numeric_limits<double>::infinity();

// The definition, cell by cell: the mean of values[w] over the windows that cover the cell.
double mean_at(const at::Tensor& values, vision::Grid grid, int64_t side, int64_t y, int64_t x) {
  double sum = 0;
  int64_t count = 0;
  int64_t w = 0;
  for (int64_t top = 0; top + side <= grid.height; ++top) {
    for (int64_t left = 0; left + side <= grid.width; ++left, ++w) {
      if (y < top || y >= top + side || x < left || x >= left + side) continue;
      sum += values[w].item<double>();
      ++count;
    }
  }
  return sum / static_cast<double>(count);
}

int64_t windows(vision::Grid grid, int64_t side) {
  return (grid.height - side + 1) * (grid.width - side + 1);
}

TEST(MeanOfCovering, IsOfTheWindowsThatCoverTheCell) {
  at::manual_seed(31);
  int64_t compared = 0;
  for (const vision::Grid grid : {vision::Grid{5, 5}, vision::Grid{4, 7}}) {
    for (const int64_t side : {1, 2, 3, 4}) {
      const at::Tensor values = at::randn({2, windows(grid, side)});
      const at::Tensor means = mean_of_covering(values, grid, side);
      ASSERT_EQ(means.sizes().vec(), (std::vector<int64_t>{2, grid.height, grid.width}));
      for (int64_t b = 0; b < 2; ++b) {
        for (int64_t y = 0; y < grid.height; ++y) {
          for (int64_t x = 0; x < grid.width; ++x, ++compared) {
            EXPECT_NEAR(means[b][y][x].item<double>(), mean_at(values[b], grid, side, y, x), 1e-5);
          }
        }
      }
    }
  }
  EXPECT_EQ(compared, 4 * 2 * (25 + 28));
}

TEST(TextualMap, IsOneMinusTheHarmonicMeanOverWindowsAndSides) {
  at::manual_seed(32);
  const vision::Grid grid{4, 5};
  const std::vector<int64_t> sides{2, 3};
  std::vector<at::Tensor> normal;
  for (const int64_t side : sides) normal.push_back(at::sigmoid(at::randn({1, windows(grid, side)})));
  const at::Tensor map = textual_map(normal, grid, sides);
  for (int64_t y = 0; y < grid.height; ++y) {
    for (int64_t x = 0; x < grid.width; ++x) {
      double u = 0;
      for (size_t s = 0; s < sides.size(); ++s) {
        u += mean_at(1 / normal[s][0], grid, sides[s], y, x) / static_cast<double>(sides.size());
      }
      EXPECT_NEAR(map[0][y][x].item<double>(), 1 - 1 / u, 1e-6);
    }
  }
}

TEST(TextualMap, StaysWithinItsBoundsWhereProbabilitiesAreZeroOrOne) {
  const at::Tensor surely = at::ones({1, 4});
  const at::Tensor never = at::zeros({1, 4});
  EXPECT_EQ(textual_map({surely}, {3, 3}, {2}).max().item<double>(), 0);
  EXPECT_EQ(textual_map({never}, {3, 3}, {2}).min().item<double>(), 1);
  // One hopeless window spoils the cells that it covers and no other.
  at::Tensor mixed = at::ones({1, 4});
  mixed.slice(1, 0, 1).zero_();
  const at::Tensor map = textual_map({mixed}, {3, 3}, {2})[0];
  EXPECT_EQ(map[0][0].item<double>(), 1);
  EXPECT_EQ(map[1][1].item<double>(), 1);
  EXPECT_EQ(map[2][2].item<double>(), 0);
}

TEST(Distances, AreZeroForWhatIsThereAndOneForItsOpposite) {
  at::manual_seed(33);
  const at::Tensor gallery = layers::unit_rows(at::randn({5, 16}));
  const at::Tensor far = distances(gallery, gallery);
  EXPECT_GE(far.min().item<double>(), 0);
  EXPECT_LT(far.max().item<double>(), 1e-6);
  EXPECT_NEAR(distances(-gallery.slice(0, 2, 3), gallery.slice(0, 2, 3))[0].item<double>(), 1, 1e-6);
}

TEST(HarmonicFusion, IsZeroWhereEitherIsAndNeverNaN) {
  const at::Tensor a = at::tensor({0.0, 0.0, 0.5, 1.0, 0.5});
  const at::Tensor b = at::tensor({0.0, 0.7, 0.0, 1.0, 0.25});
  const at::Tensor fused = harmonic_fusion(a, b);
  const std::vector<double> wanted{0, 0, 0, 0.5, 1.0 / 6};
  for (int64_t i = 0; i < 5; ++i) {
    EXPECT_NEAR(fused[i].item<double>(), wanted[static_cast<size_t>(i)], 1e-12);
    EXPECT_LT(fused[i].item<double>(), k_infinity);
  }
}

}  // namespace
}  // namespace crane::methods::winclip
