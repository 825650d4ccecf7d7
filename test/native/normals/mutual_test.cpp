#include "normals/mutual.h"

#include <ATen/ops/rand.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace crane::normals {
namespace {

constexpr vision::Grid k_grid{4, 5};
constexpr int64_t k_width = 16;

at::Tensor some_rows(int64_t copies) {
  const at::Tensor rows = at::rand({copies * k_grid.count(), k_width}) - 0.5;
  return rows / rows.norm(2, 1, true);
}

// By the definition, in double.
std::vector<double> pooled(const at::Tensor& rows, int64_t copy, int64_t y, int64_t x, int64_t side) {
  std::vector<double> sum(k_width, 0.0);
  const auto values = rows.accessor<float, 2>();
  for (int64_t b = std::max<int64_t>(0, y - side / 2); b <= std::min(k_grid.height - 1, y + side / 2); ++b) {
    for (int64_t a = std::max<int64_t>(0, x - side / 2); a <= std::min(k_grid.width - 1, x + side / 2); ++a) {
      const int64_t row = copy * k_grid.count() + b * k_grid.width + a;
      for (int64_t d = 0; d < k_width; ++d) sum[static_cast<size_t>(d)] += values[row][d];
    }
  }
  double length = 0;
  for (const double value : sum) length += value * value;
  for (double& value : sum) value /= std::sqrt(length);
  return sum;
}

TEST(MutualRows, AreMeansOfTheCellsAroundThatTheGridHas) {
  const at::Tensor rows = some_rows(2);
  EXPECT_TRUE(pooled_rows(rows, k_grid, 1).equal(rows));
  for (const int64_t side : {3, 5, 11}) {
    const at::Tensor found = pooled_rows(rows, k_grid, side);
    ASSERT_EQ(found.sizes(), rows.sizes());
    for (int64_t i = 0; i < rows.size(0); ++i) {
      const int64_t cell = i % k_grid.count();
      const auto wanted = pooled(rows, i / k_grid.count(), cell / k_grid.width, cell % k_grid.width, side);
      for (int64_t d = 0; d < k_width; ++d) {
        EXPECT_NEAR(found[i][d].item<double>(), wanted[static_cast<size_t>(d)], 1e-6);
      }
    }
  }
}

TEST(MutualDistances, AreThoseOfTheDefinition) {
  std::vector<at::Tensor> pictures;
  for (int i = 0; i < 6; ++i) pictures.push_back(some_rows(i % 2 + 1));
  const auto rows_of = [&](int64_t p) { return pictures[static_cast<size_t>(p)]; };
  const MutualOptions options{{1, 3}, 0.4};  // of five others two
  const int64_t asked[] = {1, 4};
  const auto found = mutual_distances(6, rows_of, k_grid, asked, options);
  for (size_t a = 0; a < 2; ++a) {
    for (int64_t i = 0; i < k_grid.count(); ++i) {
      double sum = 0;
      for (const int64_t side : options.neighbourhoods) {
        const auto own = pooled(rows_of(asked[a]), 0, i / k_grid.width, i % k_grid.width, side);
        std::vector<double> nearest;
        for (int64_t p = 0; p < 6; ++p) {
          if (p == asked[a]) continue;
          double best = -1;
          for (int64_t j = 0; j < rows_of(p).size(0); ++j) {
            const int64_t cell = j % k_grid.count();
            const auto other =
                pooled(rows_of(p), j / k_grid.count(), cell / k_grid.width, cell % k_grid.width, side);
            double cosine = 0;
            for (size_t d = 0; d < own.size(); ++d) cosine += own[d] * other[d];
            best = std::max(best, cosine);
          }
          nearest.push_back((1 - best) / 2);
        }
        std::ranges::sort(nearest);
        sum += (nearest[0] + nearest[1]) / 2;
      }
      EXPECT_NEAR(found[a][i].item<double>(), sum / 2, 1e-6);
    }
    const auto alone = mutual_distances(6, rows_of, k_grid, {&asked[a], 1}, options);
    EXPECT_TRUE(alone.front().equal(found[a])) << "what is asked together decides a bit";
  }
}

}  // namespace
}  // namespace crane::normals
