#include "methods/crane/prompt_loss.h"

#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <ATen/ops/upsample_nearest2d.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "methods/crane/fusion.h"
#include "methods/maps.h"

namespace crane::methods {
namespace {

constexpr int64_t k_grid_height = 5;
constexpr int64_t k_grid_width = 7;
constexpr int64_t k_height = 43;  // no multiple of the grid: cells get different numbers of pixels
constexpr int64_t k_width = 52;
constexpr int64_t k_batch = 3;
constexpr int64_t k_dim = 6;

at::Tensor unit(const at::Tensor& x) { return x / x.norm(2, -1, true); }

struct Example {
  BatchFeatures features;
  at::Tensor text, masks, labels;

  explicit Example(int64_t maps) {
    at::manual_seed(maps);
    const auto f64 = at::TensorOptions().dtype(at::kDouble);
    features.maps = unit(at::randn({maps, k_batch, k_grid_height * k_grid_width, k_dim}, f64));
    features.global = unit(at::randn({k_batch, k_dim}, f64));
    text = unit(at::randn({k_batch, 2, k_dim}, f64));
    masks = (at::rand({k_batch, k_height, k_width}) > 0.8).to(at::kByte);
    masks[0].zero_();
    labels = at::tensor({0, 1, 1}, at::TensorOptions().dtype(at::kLong));
  }
};

// The loss as the reference computes it, on maps of the mask's size.
LossTerms full_size_loss(const Example& example, const LossOptions& options) {
  const at::Tensor logits = text_logits(example.features.maps, example.text, options.pixel_temperature);
  const at::Tensor y = example.masks.to(at::kDouble);  // [B, H, W]
  LossTerms terms;
  terms.focal = at::zeros({}, y.options());
  terms.dice = at::zeros({}, y.options());
  for (int64_t m = 0; m < logits.size(0); ++m) {
    const at::Tensor cells = at::softmax(logits[m], -1)
                                 .view({k_batch, k_grid_height, k_grid_width, 2})
                                 .permute({0, 3, 1, 2})
                                 .contiguous();
    const at::Tensor p = options.upsampling == Upsampling::nearest
                             ? at::upsample_nearest2d(cells, {k_height, k_width})
                             : at::upsample_bilinear2d(cells, {k_height, k_width}, /*align_corners=*/false);
    const at::Tensor onehot = at::stack({1 - y, y}, 1).clamp(1e-5, 1 - 1e-5);
    const at::Tensor pt = (onehot * p).sum(1) + 1e-5;
    terms.focal = terms.focal + (-(1 - pt).square() * pt.log()).mean() * options.focal_weight;
    const at::Tensor claimed = p.select(1, 1).flatten(1);
    const at::Tensor hit = (claimed * y.flatten(1)).sum(1);
    terms.dice = terms.dice + (1 - ((2 * hit + 1) / (claimed.sum(1) + y.flatten(1).sum(1) + 1)).mean()) *
                                  options.dice_weight;
  }
  const at::Tensor fused = fuse(example.features.maps, logits, example.features.global, nullptr);
  terms.image = at::cross_entropy_loss(
      text_logits(fused.unsqueeze(1), example.text, options.image_temperature).squeeze(1), example.labels);
  terms.total = terms.focal + terms.dice + options.image_weight * terms.image;
  return terms;
}

LossTerms cell_loss(const Example& example, const LossOptions& options) {
  const train::CellCounts cells = train::count_cells(example.masks, {k_grid_height, k_grid_width});
  return prompt_loss(example.features, example.text, {cells, example.masks, {k_grid_height, k_grid_width}},
                     example.labels, options);
}

double difference(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

TEST(Losses, CountsPerCellCoverEveryPixelOnce) {
  const Example example(1);
  const train::CellCounts cells = train::count_cells(example.masks, {k_grid_height, k_grid_width});
  EXPECT_EQ(cells.pixels.sum().item<double>(), static_cast<double>(k_height * k_width));
  EXPECT_EQ(difference(cells.anomalous.sum(-1), example.masks.to(at::kDouble).sum(at::IntArrayRef({1, 2}))),
            0.0);
  EXPECT_GT(cells.pixels.max().item<double>(), cells.pixels.min().item<double>());
}

TEST(Losses, CellsGiveTheLossOfFullSizeMaps) {
  for (const int64_t maps : {1, 2}) {
    const Example example(maps);
    const LossTerms cells = cell_loss(example, {});
    const LossTerms full = full_size_loss(example, {});
    EXPECT_LT(difference(cells.focal, full.focal), 1e-12);
    EXPECT_LT(difference(cells.dice, full.dice), 1e-12);
    EXPECT_LT(difference(cells.image, full.image), 1e-12);
    EXPECT_LT(difference(cells.total, full.total), 1e-12);
  }
}

TEST(Losses, BilinearUpsamplingGivesTheLossOfFullSizeMaps) {
  LossOptions options;
  options.upsampling = Upsampling::bilinear;
  for (const int64_t maps : {1, 2}) {
    const Example example(maps);
    const LossTerms own = cell_loss(example, options);
    const LossTerms full = full_size_loss(example, options);
    EXPECT_LT(difference(own.focal, full.focal), 1e-12);
    EXPECT_LT(difference(own.dice, full.dice), 1e-12);
    EXPECT_EQ(difference(own.image, full.image), 0.0);
    EXPECT_GT(difference(own.focal, cell_loss(example, {}).focal), 1e-4);
  }
}

// Of a batch whose second mask is not known the others count, each with its own mask.
TEST(Losses, BilinearUpsamplingTakesThePicturesWhoseMasksAreKnown) {
  LossOptions options;
  options.upsampling = Upsampling::bilinear;
  const Example example(1);
  const at::Tensor known = at::tensor({0, 2}, at::TensorOptions().dtype(at::kLong));
  Example part = example;
  part.features.maps = example.features.maps.index_select(1, known);
  part.features.global = example.features.global.index_select(0, known);
  part.text = example.text.index_select(0, known);
  part.masks = example.masks.index_select(0, known);
  part.labels = example.labels.index_select(0, known);
  train::CellCounts cells = train::count_cells(part.masks, {k_grid_height, k_grid_width});
  cells.known = known;
  const LossTerms own =
      prompt_loss(example.features, example.text, {cells, part.masks, {k_grid_height, k_grid_width}},
                  example.labels, options);
  EXPECT_LT(difference(own.focal, cell_loss(part, options).focal), 1e-12);
  EXPECT_LT(difference(own.dice, cell_loss(part, options).dice), 1e-12);
}

TEST(Losses, CopiesMultiplyThePixelLossOnly) {
  Example example(1);
  const LossTerms once = cell_loss(example, {});
  example.features.copies = 4;
  const LossTerms four = cell_loss(example, {});
  EXPECT_LT(difference(four.focal, once.focal * 4), 1e-12);
  EXPECT_LT(difference(four.dice, once.dice * 4), 1e-12);
  EXPECT_EQ(difference(four.image, once.image), 0.0);
}

TEST(Losses, GradientEqualsFiniteDifferencesInDouble) {
  Example example(2);
  example.text = example.text.clone().set_requires_grad(true);
  cell_loss(example, {}).total.backward();
  const at::Tensor gradient = example.text.grad().clone();
  example.text = example.text.detach();
  const at::Tensor base = example.text.clone();
  constexpr double k_step = 1e-6;
  for (const int64_t flat : {0, 5, 9, 17, 29, 35}) {
    const auto loss_at = [&](double shift) {
      example.text = base.clone();
      example.text.view({-1})[flat] += shift;
      return cell_loss(example, {}).total.item<double>();
    };
    const double slope = (loss_at(k_step) - loss_at(-k_step)) / (2 * k_step);
    EXPECT_NEAR(slope, gradient.view({-1})[flat].item<double>(), 1e-6 * std::max(1.0, std::abs(slope)))
        << flat;
  }
}

}  // namespace
}  // namespace crane::methods
