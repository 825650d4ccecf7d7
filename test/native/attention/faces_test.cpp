// Every face of an attention kernel against its plain definition.
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "attention/affinity.h"
#include "attention/plain.h"
#include "attention/self_correlation.h"

namespace crane::attention {
namespace {

constexpr double k_scale = 0.125;  // 64^-0.5

// Scores of these inputs reach 20 and one rounding of float32 there is 2e-6, which the softmax hands on to
// the weights; values reach 6. A sum of three softmaxes adds three such errors.
constexpr double k_tolerance = 1e-5;

struct Inputs {
  at::Tensor q, k, v;
};

Inputs inputs(int64_t rows, uint64_t seed) {
  at::manual_seed(seed);
  const auto make = [&] { return at::randn({1, 2, rows, 64}) * 1.5; };
  return {make(), make(), make()};
}

double worst(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

constexpr SelfSet k_kinds[] = {{false, false, true, false}, {false, true, false, false},
                               {true, false, false, false}, {true, true, false, false},
                               {true, true, true, false},   {false, false, false, true}};

class AtRowCount : public ::testing::TestWithParam<int64_t> {};

TEST_P(AtRowCount, PlainAttentionFacesAgreeWithTheDefinition) {
  const auto [q, k, v] = inputs(GetParam(), 1);
  const auto faces = plain_attention_faces();
  for (const bool causal : {false, true}) {
    const at::Tensor wanted = faces.back().run(q, k, v, k_scale, causal);
    for (const auto& face : faces) {
      if (!face.can_run() || (face.fits && !face.fits(q, k, v, causal))) continue;
      EXPECT_LT(worst(face.run(q, k, v, k_scale, causal), wanted), k_tolerance)
          << face.name << " causal " << causal;
    }
  }
}

TEST_P(AtRowCount, SelfCorrelationFacesAgreeWithTheDefinitionForEveryKind) {
  const auto [q, k, v] = inputs(GetParam(), 2);
  const auto faces = self_correlation_faces();
  for (const SelfSet& kind : k_kinds) {
    const at::Tensor wanted = faces.back().run(q, k, v, kind, k_scale);
    for (const auto& face : faces) {
      if (!face.can_run()) continue;
      EXPECT_LT(worst(face.run(q, k, v, kind, k_scale), wanted), 3 * k_tolerance)
          << face.name << " q" << kind.q << " k" << kind.k << " v" << kind.v << " joined " << kind.joined;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Rows, AtRowCount, ::testing::Values(1, 7, 37, 57, 300));

// What the definition makes NaN is NaN in every face, and nothing else is.
TEST_P(AtRowCount, ExceptionalInputsEndAsInTheDefinition) {
  const float infinity = std::numeric_limits<float>::infinity();
  for (const float bad : {infinity, -infinity, std::nanf("")}) {
    auto [q, k, v] = inputs(GetParam(), 5);
    k[0][1][0][3] = bad;
    const at::Tensor plain = plain_attention_faces().back().run(q, k, v, k_scale, false);
    for (const auto& face : plain_attention_faces()) {
      if (!face.can_run() || face.name == "fused") continue;
      EXPECT_TRUE(at::equal(face.run(q, k, v, k_scale, false).isnan(), plain.isnan())) << face.name << bad;
    }
    const at::Tensor self = self_correlation_faces().back().run(q, k, v, {}, k_scale);
    for (const auto& face : self_correlation_faces()) {
      if (!face.can_run() || face.name == "fused") continue;
      EXPECT_TRUE(at::equal(face.run(q, k, v, {}, k_scale).isnan(), self.isnan())) << face.name << bad;
    }
  }
}

TEST_P(AtRowCount, RowsFarApartAndPackedTogetherGiveTheSameBits) {
  at::manual_seed(9);
  const at::Tensor qkv = at::randn({1, GetParam(), 3, 2, 64}).permute({2, 0, 3, 1, 4});  // [3, 1, H, N, d]
  const at::Tensor packed = qkv.contiguous();
  for (const auto& face : self_correlation_faces()) {
    if (!face.can_run() || !face.name.starts_with("avx")) continue;
    EXPECT_TRUE(at::equal(face.run(qkv[0], qkv[1], qkv[2], {}, k_scale),
                          face.run(packed[0], packed[1], packed[2], {}, k_scale)))
        << face.name;
  }
}

TEST(PlainAttention, KeysThatScoreMinusInfinityGetNoWeight) {
  const auto [q, k, v] = inputs(100, 10);
  const at::Tensor positive = q.abs() + 0.1;
  k.slice(2, 0, 70).select(3, 0).fill_(-std::numeric_limits<float>::infinity());
  const at::Tensor wanted = plain_attention_faces().back().run(positive, k, v, k_scale, false);
  ASSERT_FALSE(wanted.isnan().any().item<bool>());
  for (const auto& face : plain_attention_faces()) {
    if (!face.can_run()) continue;
    EXPECT_LT(worst(face.run(positive, k, v, k_scale, false), wanted), k_tolerance) << face.name;
  }
}

TEST(PlainAttention, OneQueryRowEqualsTheFirstRowOfAll) {
  const auto [q, k, v] = inputs(65, 3);
  const at::Tensor all = plain_attention(q, k, v, k_scale);
  const at::Tensor one = plain_attention(q.slice(2, 0, 1), k, v, k_scale);
  EXPECT_LT(worst(one, all.slice(2, 0, 1)), 1e-6);
}

TEST(SelfCorrelation, WeightsOfThreeSoftmaxesSumToThree) {
  const auto [q, k, ignored] = inputs(20, 4);
  const at::Tensor ones = at::ones({1, 2, 20, 64});
  for (const auto& face : self_correlation_faces()) {
    if (!face.can_run()) continue;
    const at::Tensor two = face.run(q, k, ones, SelfSet{true, true, false, false}, k_scale);
    EXPECT_LT(worst(two, at::full_like(two, 2.0)), 1e-5) << face.name;
  }
}

double mean_error(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().mean().item<double>(); }

// The faces' softmaxes differ in their last bits, so that some weight falls on the other side of a tie and
// differs by 2^-8 of itself; values reach 6. Rarely enough that the mean error stays far below one rounding.
TEST_P(AtRowCount, Bfloat16FacesAgreeWithTheirDefinition) {
  const auto [q, k, v] = inputs(GetParam(), 11);
  const auto plain = plain_attention_faces(Precision::bfloat16);
  const at::Tensor wanted = plain.back().run(q, k, v, k_scale, false);
  for (const auto& face : plain) {
    if (!face.can_run()) continue;
    const at::Tensor got = face.run(q, k, v, k_scale, false);
    EXPECT_LT(worst(got, wanted), 0.025) << face.name;
    EXPECT_LT(mean_error(got, wanted), 3e-5) << face.name;
  }
  const auto faces = self_correlation_faces(Precision::bfloat16);
  for (const SelfSet& kind : k_kinds) {
    const at::Tensor self = faces.back().run(q, k, v, kind, k_scale);
    for (const auto& face : faces) {
      if (!face.can_run()) continue;
      const at::Tensor got = face.run(q, k, v, kind, k_scale);
      EXPECT_LT(worst(got, self), 0.05) << face.name << kind.q << kind.k << kind.v << kind.joined;
      EXPECT_LT(mean_error(got, self), 1e-4) << face.name << kind.q << kind.k << kind.v << kind.joined;
    }
  }
}

// One rounding of bfloat16 is 2^-9; of queries and keys it moves scores of size 10 by 0.02, of which the
// softmax makes 2 % of a weight.
TEST_P(AtRowCount, Bfloat16AttentionIsWithinItsRoundingOfFloat32) {
  const auto [q, k, v] = inputs(GetParam(), 12);
  const at::Tensor plain = plain_attention_faces().back().run(q, k, v, k_scale, false);
  for (const auto& face : plain_attention_faces(Precision::bfloat16)) {
    if (!face.can_run()) continue;
    const at::Tensor got = face.run(q, k, v, k_scale, false);
    EXPECT_LT(((got - plain).norm() / plain.norm()).item<double>(), 0.01) << face.name;
  }
  const at::Tensor self = self_correlation_faces().back().run(q, k, v, {}, k_scale);
  for (const auto& face : self_correlation_faces(Precision::bfloat16)) {
    if (!face.can_run()) continue;
    const at::Tensor got = face.run(q, k, v, {}, k_scale);
    EXPECT_LT(((got - self).norm() / self.norm()).item<double>(), 0.01) << face.name;
  }
}

TEST_P(AtRowCount, Bfloat16WeightsAddUpToTheirNumberExactlyAsTheyAreMultiplied) {
  const auto [q, k, ignored] = inputs(GetParam(), 13);
  const at::Tensor threes = at::full_like(q, 3.0);  // any value that bfloat16 has
  for (const auto& face : self_correlation_faces(Precision::bfloat16)) {
    if (!face.can_run()) continue;
    const at::Tensor two = face.run(q, k, threes, SelfSet{true, true, false, false}, k_scale);
    // Sums in float32; weights that are not divided by what was multiplied miss 6 by up to 6e-3.
    EXPECT_LT(worst(two, at::full_like(two, 6.0)), 3e-5) << face.name;
  }
}

TEST_P(AtRowCount, ExceptionalInputsEndInBfloat16AsInItsDefinition) {
  const float infinity = std::numeric_limits<float>::infinity();
  for (const float bad : {infinity, -infinity, std::bit_cast<float>(0x7F800001U)}) {
    auto [q, k, v] = inputs(GetParam(), 14);
    k[0][1][0][3] = bad;
    const auto faces = plain_attention_faces(Precision::bfloat16);
    const at::Tensor plain = faces.back().run(q, k, v, k_scale, false);
    for (const auto& face : faces) {
      if (!face.can_run()) continue;
      EXPECT_TRUE(at::equal(face.run(q, k, v, k_scale, false).isnan(), plain.isnan())) << face.name << bad;
    }
    const auto self_faces = self_correlation_faces(Precision::bfloat16);
    const at::Tensor self = self_faces.back().run(q, k, v, {}, k_scale);
    for (const auto& face : self_faces) {
      if (!face.can_run()) continue;
      EXPECT_TRUE(at::equal(face.run(q, k, v, {}, k_scale).isnan(), self.isnan())) << face.name << bad;
    }
  }
}

TEST(PlainAttention, Bfloat16RowsBitsDependOnThatRowAlone) {
  const auto [q, k, v] = inputs(150, 15);
  for (const auto& face : plain_attention_faces(Precision::bfloat16)) {
    if (face.name == "ref" || !face.can_run()) continue;
    const at::Tensor all = face.run(q, k, v, k_scale, false);
    for (const auto& [from, to] : {std::pair{0, 1}, {5, 19}, {117, 150}}) {
      EXPECT_TRUE(at::equal(face.run(q.slice(2, from, to), k, v, k_scale, false), all.slice(2, from, to)));
    }
  }
}

at::Tensor unit(const at::Tensor& x) { return x / x.norm(2, -1, true); }

TEST(Affinity, ClosedFormMeanEqualsTheMeanOfAllCosines) {
  at::manual_seed(5);
  const at::Tensor z = unit(at::randn({3, 40, 24}));
  const at::Tensor cosines = at::matmul(z.to(at::kDouble), z.to(at::kDouble).transpose(1, 2));
  EXPECT_LT(worst(cosine_means(z), cosines.mean(at::IntArrayRef({1, 2}))), 1e-9);
}

TEST(Affinity, RowsBelowTheMeanGetNoWeight) {
  at::manual_seed(6);
  const at::Tensor z = unit(at::randn({1, 30, 8}));
  const at::Tensor means = cosine_means(z);
  const AffinityOptions options;
  const at::Tensor weights = affinity_attention(z, means, at::eye(30).unsqueeze(0), options, nullptr)[0];
  const at::Tensor cosine = at::matmul(z[0], z[0].t());
  const at::Tensor affine = (cosine - options.beta * means[0].item<double>()) * options.gain;
  EXPECT_LT(worst(weights.sum(-1), at::ones({30})), 1e-5);
  EXPECT_EQ(weights.masked_select(affine < 0).abs().max().item<double>(), 0.0);
  EXPECT_GT(weights.masked_select(affine >= 0).min().item<double>(), 0.0);
}

class AffinityAtRowCount : public ::testing::TestWithParam<int64_t> {};

TEST_P(AffinityAtRowCount, FacesAgreeWithTheDefinition) {
  const int64_t n = GetParam();
  at::manual_seed(7);
  // A mean well above 0, as pictures have it: some pairs are kept, some keys by no row of a panel.
  const at::Tensor centres = at::randn({4, 40});
  const at::Tensor z =
      unit(centres.index_select(0, at::arange(n).mul(4).div(n, "floor")) + 0.5 * at::randn({n, 40}) + 0.3)
          .unsqueeze(0);
  const at::Tensor wide = at::randn({1, n, 192});
  const auto faces = affinity_attention_faces();
  for (const at::Tensor& values : {wide.slice(2, 0, 128).contiguous(), wide.slice(2, 64, 192)}) {
    const at::Tensor wanted = faces.back().run(z, cosine_means(z), values, {}, nullptr);
    for (const auto& face : faces) {
      if (!face.can_run()) continue;
      ASSERT_TRUE(!face.fits || face.fits(z, values, nullptr));
      EXPECT_LT(worst(face.run(z, cosine_means(z), values, {}, nullptr), wanted), k_tolerance) << face.name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Rows, AffinityAtRowCount, ::testing::Values(1, 7, 33, 129, 300));

TEST(Affinity, EveryFaceKeepsAnEmptyRowOrLosesItAsAsked) {
  at::manual_seed(8);
  const at::Tensor z = unit(at::randn({1, 45, 16}));
  const at::Tensor values = at::randn({1, 45, 64});
  const at::Tensor means = at::full({1}, 2.0, at::kDouble);  // masks every cosine
  for (const auto& face : affinity_attention_faces()) {
    if (!face.can_run()) continue;
    AffinityOptions options;
    EXPECT_TRUE(at::equal(face.run(z, means, values, options, nullptr), values)) << face.name;
    options.empty_rows = EmptyRows::nan;
    EXPECT_TRUE(face.run(z, means, values, options, nullptr).isnan().all().item<bool>()) << face.name;
  }
}

TEST(Affinity, UniformPictureKeepsItselfByDefaultAndGivesNanWhenAsked) {
  const at::Tensor z = unit(at::ones({1, 5, 8}));  // every cosine 1, mean 1 > 1/1.2
  const at::Tensor values = at::arange(15).to(at::kFloat).view({1, 5, 3});
  AffinityOptions options;
  EXPECT_TRUE(at::equal(affinity_attention(z, cosine_means(z), values, options, nullptr), values));
  options.empty_rows = EmptyRows::nan;
  EXPECT_TRUE(affinity_attention(z, cosine_means(z), values, options, nullptr).isnan().all().item<bool>());
}

}  // namespace
}  // namespace crane::attention
