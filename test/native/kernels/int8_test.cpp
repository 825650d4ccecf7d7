// Rows and weights as whole numbers, one by one.
#include "kernels/int8.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "kernels/choice.h"
#include "kernels/linear_panels.h"

namespace crane::kernels {
namespace {

constexpr float k_nan = std::numeric_limits<float>::quiet_NaN();
constexpr float k_infinity = std::numeric_limits<float>::infinity();
constexpr float k_largest = std::numeric_limits<float>::max();

TEST(Int8, ARowsEndsStandFor0And255AndZeroComesBackAsZero) {
  for (const auto& [low, high] : {std::pair{-1.0F, 3.0F}, {0.0F, 7.5F}, {-0.001F, 0.0F}, {-1e30F, 1e-30F}}) {
    const RowScale scale = row_scale(low, high, true);
    EXPECT_EQ(int8_of_row(0, scale), scale.zero);
    EXPECT_EQ(int8_of_row(high, scale) - int8_of_row(low, scale), 255);
    EXPECT_EQ(int8_of_row(low, scale), 0);
    // No value in between is further from what it stands for than half a step, but for the ends' rounding.
    for (int i = 0; i <= 1000; ++i) {
      const float x = low + (high - low) * static_cast<float>(i) / 1000;
      const double back = static_cast<double>(scale.step) * (int8_of_row(x, scale) - scale.zero);
      EXPECT_LE(std::abs(back - x), 1.001 * scale.step) << x;
    }
  }
}

TEST(Int8, RoundsToTheNearestHalvesToEven) {
  const RowScale scale = row_scale(0, 255, true);
  EXPECT_EQ(scale.step, 1);
  const float values[] = {0.5F, 1.5F, 2.5F, 2.4999F, 254.5F};
  const int32_t wanted[] = {0, 2, 2, 2, 254};
  for (int i = 0; i < 5; ++i) EXPECT_EQ(int8_of_row(values[i], scale), wanted[i]);
  EXPECT_EQ(int8_of_weight(0.5F, 1), 0);
  EXPECT_EQ(int8_of_weight(-1.5F, 1), -2);
  EXPECT_EQ(int8_of_weight(127.0F, 1), 127);
  EXPECT_EQ(weight_step(254), 2);
}

TEST(Int8, ARowThatIsNotFiniteHasNoStepAndOneOfZerosGivesZero) {
  EXPECT_TRUE(std::isnan(row_scale(-1, 1, false).step));
  EXPECT_TRUE(std::isnan(row_scale(-k_largest, k_largest, true).step));  // their distance is infinite
  EXPECT_EQ(row_scale(0, 0, true).step, 0);
  EXPECT_EQ(row_scale(-1e-38F, 1e-38F, true).step, 0);
  EXPECT_GT(row_scale(-k_largest / 3, k_largest / 3, true).inverse, 0);
  EXPECT_TRUE(std::isnan(weight_step(k_nan)));
  EXPECT_TRUE(std::isnan(weight_step(k_infinity)));
  EXPECT_EQ(int8_of_weight(3, weight_step(0)), 0);
}

struct Layer {
  int64_t depth;
  int64_t out;
  std::vector<float> weight;
  std::vector<float> bias;

  Layer(int64_t depth, int64_t out) : depth(depth), out(out), bias(static_cast<size_t>(out), 0.25F) {
    for (int64_t i = 0; i < out * depth; ++i) weight.push_back(static_cast<float>(i * 37 % 101 - 50) / 50);
  }

  std::vector<float> operator()(const LinearFace& face, const std::vector<float>& x,
                                std::vector<int32_t> outliers = {}) const {
    const auto kept = static_cast<int64_t>(outliers.size());
    std::vector<float> packed(static_cast<size_t>(face.packed_floats(out, depth, kept)));
    face.pack(weight.data(), out, depth, 0, face.column_panels(out), packed.data(), outliers);
    LinearPanels job;
    job.src = x.data();
    job.src_stride = depth;
    job.rows = static_cast<int64_t>(x.size()) / depth;
    job.depth = depth;
    job.outliers = outliers.data();
    job.outlier_count = kept;
    job.weight = packed.data();
    job.bias = bias.data();
    job.out = out;
    std::vector<float> dst(static_cast<size_t>(job.rows * out));
    job.dst = dst.data();
    job.dst_row_stride = out;
    job.dst_group = out;
    face.run(job, {0, face.row_panels(job.rows), 0, face.column_panels(out)});
    return dst;
  }
};

template <typename Check>
void at_every_face(Check check) {
  for (const Row& row : rows_of("linear", Precision::int8)) {
    const auto* face = row.as<LinearFace>();
    if (face == nullptr || !can_run(row)) continue;
    SCOPED_TRACE(std::string(row.face));
    check(*face);
  }
}

TEST(Int8, WhatIsNotFiniteMakesItsRowOrItsColumnNanAndNoOther) {
  at_every_face([](const LinearFace& face) {
    Layer layer(70, 45);
    std::vector<float> x(20 * 70, 0.5F);
    x[3 * 70 + 69] = k_nan;
    x[4 * 70 + 1] = -k_infinity;
    x[5 * 70 + 2] = k_nan;  // an outlier
    x[6 * 70] = k_largest;
    x[6 * 70 + 1] = -k_largest;
    layer.weight[7 * 70 + 5] = k_nan;
    layer.weight[8 * 70 + 2] = k_infinity;  // an outlier's
    const auto y = layer(face, x, {2, 40});
    for (int64_t r = 0; r < 20; ++r) {
      for (int64_t c = 0; c < 45; ++c) {
        const bool is_lost = (r >= 3 && r <= 6) || c == 7;
        EXPECT_EQ(std::isnan(y[r * 45 + c]), is_lost) << r << ", " << c;
        if (c == 8 && !is_lost) EXPECT_EQ(y[r * 45 + c], k_infinity);
      }
    }
  });
}

TEST(Int8, RowsOfZerosGiveTheBias) {
  at_every_face([](const LinearFace& face) {
    const Layer layer(33, 40);
    for (const float each : layer(face, std::vector<float>(15 * 33))) EXPECT_EQ(each, 0.25F);
  });
}

// The largest sums that a depth can give: all of 255 x 127 with one sign.
TEST(Int8, SumsOfTheDeepestLayerAreExact) {
  at_every_face([](const LinearFace& face) {
    Layer layer(k_most_int8_depth, 1);
    std::fill(layer.weight.begin(), layer.weight.end(), -127.0F);
    layer.bias[0] = 0;
    const auto y = layer(face, std::vector<float>(static_cast<size_t>(k_most_int8_depth), 255.0F));
    EXPECT_EQ(y[0], -255.0F * 127.0F * static_cast<float>(k_most_int8_depth));
  });
}

// One value that is a thousand times the others costs them their digits, unless it is kept as it is.
TEST(Int8, AnOutlierThatIsKeptCostsTheOthersNothing) {
  at_every_face([](const LinearFace& face) {
    const Layer layer(128, 32);
    std::vector<float> x(128);
    for (size_t k = 0; k < x.size(); ++k) x[k] = std::sin(static_cast<float>(k));
    x[9] = 1000;
    const auto error = [&](const std::vector<int32_t>& outliers) {
      const auto y = layer(face, x, outliers);
      double worst = 0;
      for (int64_t c = 0; c < 32; ++c) {
        double wanted = layer.bias[c];
        for (int64_t k = 0; k < 128; ++k) wanted += static_cast<double>(x[k]) * layer.weight[c * 128 + k];
        worst = std::max(worst, std::abs(y[c] - wanted));
      }
      return worst;
    };
    EXPECT_GT(error({}), 1);
    EXPECT_LT(error({9}), 0.1);
  });
}

}  // namespace
}  // namespace crane::kernels
