#include "train/map_loss.h"

#include <ATen/ops/rand.h>
#include <gtest/gtest.h>

#include <cmath>

namespace crane::train {
namespace {

constexpr int64_t k_height = 5;
constexpr int64_t k_width = 7;

struct Maps {
  at::Tensor p;      // [K, 2, H, W]
  at::Tensor masks;  // [K, H, W] u8
  CellCounts pixels;

  explicit Maps(int64_t pictures) {
    at::manual_seed(4);
    const at::Tensor anomalous = at::rand({pictures, k_height, k_width}) * 0.9 + 0.05;
    p = at::stack({1 - anomalous, anomalous}, 1);
    masks = (at::rand({pictures, k_height, k_width}) > 0.6).to(at::kByte);
    pixels = count_cells(masks, {k_height, k_width});
  }
  double value(int64_t k, int64_t channel, int64_t y, int64_t x) const {
    return p[k][channel][y][x].item<double>();
  }
  double mask(int64_t k, int64_t y, int64_t x) const { return masks[k][y][x].item<double>(); }

  // Dice of rows [from, to) of picture k.
  double overlap(int64_t k, int64_t channel, int64_t from, int64_t to) const {
    double hit = 0;
    double claimed = 0;
    double there = 0;
    for (int64_t y = from; y < to; ++y) {
      for (int64_t x = 0; x < k_width; ++x) {
        const double target = channel == 1 ? mask(k, y, x) : 1 - mask(k, y, x);
        hit += value(k, channel, y, x) * target;
        claimed += value(k, channel, y, x);
        there += target;
      }
    }
    return (2 * hit + 1) / (claimed + there + 1);
  }
};

TEST(MapLoss, IsThatOfPlainLoopsOverPixels) {
  const Maps maps(3);
  const MapLoss loss = map_loss(maps.p, maps.pixels, /*rows_of_one=*/true);
  double focal = 0;
  double dice[2] = {0, 0};
  for (int64_t k = 0; k < 3; ++k) {
    for (int64_t y = 0; y < k_height; ++y) {
      for (int64_t x = 0; x < k_width; ++x) {
        double pt = 1e-5;
        for (int64_t c = 0; c < 2; ++c) {
          const double one_hot = (maps.mask(k, y, x) == static_cast<double>(c)) ? 1 - 1e-5 : 1e-5;
          pt += one_hot * maps.value(k, c, y, x);
        }
        focal -= (1 - pt) * (1 - pt) * std::log(pt) / (3 * k_height * k_width);
      }
    }
    for (int64_t c = 0; c < 2; ++c) dice[c] += (1 - maps.overlap(k, c, 0, k_height)) / 3;
  }
  EXPECT_NEAR(loss.focal.item<double>(), focal, 1e-6);
  EXPECT_NEAR(loss.dice_normal.item<double>(), dice[0], 1e-6);
  EXPECT_NEAR(loss.dice_anomalous.item<double>(), dice[1], 1e-6);
}

TEST(MapLoss, OfOnePictureDiceMayRunOverItsRows) {
  const Maps maps(1);
  for (int64_t c = 0; c < 2; ++c) {
    double by_rows = 0;
    for (int64_t y = 0; y < k_height; ++y) by_rows += (1 - maps.overlap(0, c, y, y + 1)) / k_height;
    const double whole = 1 - maps.overlap(0, c, 0, k_height);
    const MapLoss rows = map_loss(maps.p, maps.pixels, true);
    const MapLoss picture = map_loss(maps.p, maps.pixels, false);
    EXPECT_NEAR((c == 1 ? rows.dice_anomalous : rows.dice_normal).item<double>(), by_rows, 1e-6);
    EXPECT_NEAR((c == 1 ? picture.dice_anomalous : picture.dice_normal).item<double>(), whole, 1e-6);
    EXPECT_GT(std::abs(by_rows - whole), 1e-3);
  }
}

}  // namespace
}  // namespace crane::train
