#include "vision/windows.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include <set>

#include "core/error.h"
#include "plain_tower.h"
#include "vision/block_loop.h"

namespace crane::vision {
namespace {

// Every window of the grid by its definition: the class token, then the cells that lie in it.
std::vector<std::vector<int64_t>> windows_of(Grid grid, int64_t side) {
  std::vector<std::vector<int64_t>> all;
  for (int64_t top = 0; top + side <= grid.height; ++top) {
    for (int64_t left = 0; left + side <= grid.width; ++left) {
      std::vector<int64_t> rows{0};
      for (int64_t cell = 0; cell < grid.count(); ++cell) {
        const int64_t y = cell / grid.width;
        const int64_t x = cell % grid.width;
        if (y >= top && y < top + side && x >= left && x < left + side) rows.push_back(1 + cell);
      }
      all.push_back(rows);
    }
  }
  return all;
}

TEST(Windows, AreListedByTheirTopLeftCellWithTheClassTokenFirst) {
  for (const Grid grid : {Grid{5, 5}, Grid{4, 7}}) {
    for (const int64_t side : {1, 2, 3, 4}) {
      const at::Tensor rows = window_rows(grid, side, at::kCPU);
      const auto wanted = windows_of(grid, side);
      ASSERT_EQ(rows.size(0), static_cast<int64_t>(wanted.size()));
      for (size_t w = 0; w < wanted.size(); ++w) {
        const int64_t* row = rows.const_data_ptr<int64_t>() + static_cast<int64_t>(w) * rows.size(1);
        EXPECT_EQ(std::vector<int64_t>(row, row + rows.size(1)), wanted[w]);
      }
    }
  }
}

TEST(Windows, ThatDoNotFitAreRefused) {
  EXPECT_THROW(window_rows({3, 4}, 4, at::kCPU), Error);
  EXPECT_THROW(window_rows({3, 4}, 0, at::kCPU), Error);
}

TEST(Windows, RunAsSequencesOfTheirOwn) {
  at::manual_seed(12);
  const at::NoGradGuard guard;
  const Grid grid{4, 5};
  const auto blocks = plain::random_blocks(3);
  const auto frozen = plain::frozen(blocks);
  const at::Tensor tokens = at::randn({2, 1 + grid.count(), plain::k_width});
  int64_t compared = 0;
  for (const int64_t side : {2, 3}) {
    const auto windows = windows_of(grid, side);
    const at::Tensor rows = window_rows(grid, side, at::kCPU);
    const at::Tensor cls =
        run_blocks(std::span<const layers::FrozenBlock>(frozen), gather_windows(tokens, rows), Taps{}).plain;
    ASSERT_EQ(cls.size(0), 2 * rows.size(0));
    for (int64_t b = 0; b < 2; ++b) {
      for (size_t w = 0; w < windows.size(); ++w) {
        std::vector<at::Tensor> own;
        for (const int64_t row : windows[w]) own.push_back(tokens[b][row]);
        at::Tensor x = at::stack(own);
        for (const layers::Block& block : blocks) x = plain::forward(block, x);
        const int64_t at = b * rows.size(0) + static_cast<int64_t>(w);
        EXPECT_LT(plain::worst(cls[at][0], x[0]), 5e-5) << side << " " << at;
        ++compared;
      }
    }
  }
  EXPECT_EQ(compared, 2 * (12 + 6));
}

TEST(Windows, OfAPictureDoNotDependOnThePicturesBesideIt) {
  at::manual_seed(13);
  const at::NoGradGuard guard;
  const auto frozen = plain::frozen(plain::random_blocks(2));
  const at::Tensor tokens = at::randn({3, 1 + 16, plain::k_width});
  const at::Tensor rows = window_rows({4, 4}, 2, at::kCPU);
  const std::span<const layers::FrozenBlock> blocks(frozen);
  const at::Tensor all = run_blocks(blocks, gather_windows(tokens, rows), Taps{}).plain;
  for (int64_t b = 0; b < 3; ++b) {
    const at::Tensor alone =
        run_blocks(blocks, gather_windows(tokens.slice(0, b, b + 1), rows), Taps{}).plain;
    EXPECT_LT(plain::worst(alone, all.slice(0, 9 * b, 9 * b + 9)), 1e-5);
  }
}

}  // namespace
}  // namespace crane::vision
