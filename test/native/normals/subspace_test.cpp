// The subspace of a bank's patches against rows whose axes are known, and how its moments add up.
#include "normals/subspace.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/mm.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace crane::normals {
namespace {

// Unit rows; `spread` along each axis before they are made so.
at::Tensor rows_of(int64_t count, const std::vector<float>& spread, uint32_t seed = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  at::Tensor rows = at::empty({count, static_cast<int64_t>(spread.size())}, at::kFloat);
  auto* out = rows.mutable_data_ptr<float>();
  for (int64_t i = 0; i < count; ++i) {
    for (const float along : spread) *out++ = along * normal(random);
  }
  return rows / rows.norm(2, 1, true);
}

Subspace fitted(const at::Tensor& rows, double variance) {
  return subspace_of(moments_of(rows), rows.size(0), variance, at::kCPU);
}

// Of the definition: mean, covariance and the length that is left, by loops in double; axes are the caller's.
double left_of(const at::Tensor& row, const at::Tensor& mean, const at::Tensor& axes) {
  const auto at = [](const at::Tensor& values, int64_t i) { return values[i].item().toDouble(); };
  double all = 0;
  for (int64_t k = 0; k < row.size(0); ++k) all += std::pow(at(row, k) - at(mean, k), 2);
  for (int64_t a = 0; a < axes.size(1); ++a) {
    double along = 0;
    for (int64_t k = 0; k < row.size(0); ++k) along += (at(row, k) - at(mean, k)) * axes[k][a].item<double>();
    all -= along * along;
  }
  return all / 4;
}

TEST(Subspace, LeavesOfARowWhatItsPrincipalAxesDoNotHold) {
  const at::Tensor rows = rows_of(400, {3, 2, 1, 0.5F, 0.1F, 0.05F});
  const at::Tensor values = rows.to(at::kDouble);
  const at::Tensor mean = values.mean(0);
  const at::Tensor off = values - mean;
  // Other axes than the code's, by iteration from the largest down.
  at::Tensor covariance = at::mm(off.t(), off) / 400;
  const double all = covariance.diagonal().sum().item<double>();
  std::vector<at::Tensor> axes;
  double held = 0;
  for (int q = 1; q < 6; ++q) {
    at::Tensor axis = at::ones({6}, at::kDouble);
    for (int i = 0; i < 3000; ++i) {
      axis = covariance.mv(axis);
      axis = axis / axis.norm();
    }
    const double variance = axis.dot(covariance.mv(axis)).item<double>();
    covariance = covariance - variance * axis.unsqueeze(1) * axis.unsqueeze(0);
    axes.push_back(axis);
    const double before = held;
    held += variance;
    // Any share that this axis is the first to reach.
    const Subspace subspace = fitted(rows, (before + held) / 2 / all);
    EXPECT_EQ(subspace.across.size(1), 6 - q);
    const at::Tensor found = residuals(rows.slice(0, 0, 20), subspace);
    const at::Tensor principal = at::stack(axes, 1);
    for (int64_t i = 0; i < 20; ++i)
      EXPECT_NEAR(found[i].item<float>(), left_of(rows[i], mean, principal), 1e-6) << q << " axes, row " << i;
  }
}

TEST(Subspace, OfEqualRowsHasNoAxes) {
  const at::Tensor one = at::eye(4, at::kFloat);
  const Subspace subspace = fitted(one.slice(0, 0, 1).repeat({5, 1}), 0.99);
  EXPECT_EQ(subspace.across.size(1), 4);
  const at::Tensor far = residuals(one, subspace);
  EXPECT_EQ(far[0].item<float>(), 0);
  EXPECT_FLOAT_EQ(far[1].item<float>(), 0.5F) << "half of what is missing to a cosine of 1, as a row's";
}

TEST(Subspace, MomentsAddAndSubtractWithoutAnError) {
  const std::vector<float> spread(32, 1.0F);
  const at::Tensor a = moments_of(rows_of(1000, spread, 1));
  const at::Tensor b = moments_of(rows_of(700, spread, 2));
  const at::Tensor c = moments_of(rows_of(900, spread, 3));
  EXPECT_TRUE(((a + b) + c).equal((c + a) + b));
  EXPECT_TRUE((((a + b) + c) - b).equal(a + c));
  const at::Tensor plain = rows_of(1000, spread, 1).to(at::kDouble);
  EXPECT_LT((a.slice(0, 1) - at::mm(plain.t(), plain)).abs().max().item<double>(), 1e-8);
}

}  // namespace
}  // namespace crane::normals
