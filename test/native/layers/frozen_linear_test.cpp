// Every face of the linear layers against the plain layer, and the fused block against the plain block.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/error.h"
#include "kernels/choice.h"
#include "layers/frozen_block.h"
#include "layers/int8_linear.h"

namespace crane::layers {
namespace {

double worst(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

Linear random_linear(int64_t out, int64_t in) {
  return {at::randn({out, in}) / std::sqrt(static_cast<double>(in)), at::randn({out})};
}

LayerNorm random_norm(int64_t width) { return {at::randn({width}), at::randn({width}), 1e-5}; }

// Sums of up to 2100 products of size 1 / sqrt(depth): results of size 1 to 4, one rounding there is 2.4e-7.
constexpr double k_tolerance = 1e-5;

at::Tensor rounded(const at::Tensor& x) { return x.to(at::kBFloat16).to(at::kFloat); }

// The rows "linear" of the table that can run here: on a CPU without an instruction set its face is no test,
// instead of one that did not run.
std::vector<const kernels::Row*> faces_of_this_cpu(Precision precision) {
  std::vector<const kernels::Row*> faces;
  for (const kernels::Row& row : kernels::rows_of("linear", precision)) {
    if (kernels::can_run(row)) faces.push_back(&row);
  }
  return faces;
}

// rows, depth, out: below, at and above the sizes of panels, blocks and stretches of depth.
using Shape = std::tuple<int64_t, int64_t, int64_t>;
class AtFace : public ::testing::TestWithParam<std::tuple<const kernels::Row*, Shape>> {
 protected:
  void SetUp() override { at::manual_seed(1); }
};

TEST_P(AtFace, EveryFormAgreesWithThePlainLayer) {
  const auto& [face, shape] = GetParam();
  const auto [rows, depth, out] = shape;
  const Linear plain = random_linear(out, depth);
  const LayerNorm norm = random_norm(depth);
  const at::Tensor scale = at::randn({out});
  const at::Tensor x = at::randn({rows, depth}) * 2 + 0.5;
  const FrozenLinear frozen(plain, {}, *face);
  const FrozenLinear scaled(plain, scale, *face);
  const at::Tensor u = norm(x);

  EXPECT_LT(worst(frozen(x, nullptr), plain(x)), 3 * k_tolerance);
  EXPECT_LT(worst(frozen(x, &norm), plain(u)), 3 * k_tolerance);
  EXPECT_LT(worst(scaled(x, &norm), plain(u) * scale), 8 * k_tolerance);
  for (const Activation activation : {Activation::quick_gelu, Activation::gelu}) {
    EXPECT_LT(worst(frozen(x, &norm, activation), activate(plain(u), activation)), 3 * k_tolerance);
  }
  const at::Tensor stream = at::randn({rows, out});
  const at::Tensor added = stream.clone();
  frozen.add_to(added, x);
  EXPECT_LT(worst(added, stream + plain(x)), 3 * k_tolerance);
  if (out % 64 != 0) return;
  EXPECT_LT(worst(frozen.columns(x, &norm, {out / 2, out}), plain(u).slice(1, out / 2)), 3 * k_tolerance);
  EXPECT_LT(worst(frozen.grouped(x, &norm, 64), plain(u).view({rows, out / 64, 64}).transpose(0, 1)),
            3 * k_tolerance);
}

std::string name_of(const ::testing::TestParamInfo<std::tuple<const kernels::Row*, Shape>>& info) {
  const auto& [face, shape] = info.param;
  const auto [rows, depth, out] = shape;
  return join_text(face->face, "_", rows, "x", depth, "x", out);
}

INSTANTIATE_TEST_SUITE_P(Faces, AtFace,
                         ::testing::Combine(::testing::ValuesIn(faces_of_this_cpu(Precision::float32)),
                                            ::testing::Values(Shape{1, 64, 64}, Shape{13, 70, 45},
                                                              Shape{15, 1, 33}, Shape{29, 2100, 128},
                                                              Shape{130, 192, 512})),
                         name_of);

// The definition in bfloat16: products of rounded values, float32 for everything else.
class AtBfloat16Face : public AtFace {};

TEST_P(AtBfloat16Face, MultipliesRoundedValuesAndKeepsFloatSums) {
  const auto& [face, shape] = GetParam();
  const auto [rows, depth, out] = shape;
  const Linear plain = random_linear(out, depth);
  const Linear kept{rounded(plain.weight), plain.bias};
  const at::Tensor x = at::randn({rows, depth}) * 2 + 0.5;
  const at::Tensor wanted = kept(rounded(x));
  const FrozenLinear frozen(plain, {}, *face);
  EXPECT_LT(worst(frozen(x, nullptr), wanted), 3 * k_tolerance);
  for (const Activation activation : {Activation::quick_gelu, Activation::gelu}) {
    EXPECT_LT(worst(frozen(x, nullptr, activation), activate(wanted, activation)), 3 * k_tolerance);
  }
  const at::Tensor stream = at::randn({rows, out});
  const at::Tensor added = stream.clone();
  frozen.add_to(added, x);
  EXPECT_LT(worst(added, stream + wanted), 3 * k_tolerance);
  const at::Tensor scale = at::randn({out});
  const Linear scaled{rounded(plain.weight * scale.unsqueeze(1)), plain.bias * scale};
  EXPECT_LT(worst(FrozenLinear(plain, scale, *face)(x, nullptr), scaled(rounded(x))), 8 * k_tolerance);
  if (out % 64 != 0) return;
  EXPECT_LT(worst(frozen.columns(x, nullptr, {out / 2, out}), wanted.slice(1, out / 2)), 3 * k_tolerance);
  EXPECT_LT(worst(frozen.grouped(x, nullptr, 64), wanted.view({rows, out / 64, 64}).transpose(0, 1)),
            3 * k_tolerance);
}

// LayerNorm's last bit may decide on which side of a tie a value falls: such a value differs by 2^-8 of
// itself.
TEST_P(AtBfloat16Face, NormalisesInFloat32BeforeItRounds) {
  const auto& [face, shape] = GetParam();
  const auto [rows, depth, out] = shape;
  const Linear plain = random_linear(out, depth);
  const LayerNorm norm = random_norm(depth);
  const at::Tensor x = at::randn({rows, depth}) * 2 + 0.5;
  const at::Tensor u = norm(x);
  const at::Tensor difference =
      (FrozenLinear(plain, {}, *face)(x, &norm) - Linear{rounded(plain.weight), plain.bias}(rounded(u)))
          .abs();
  const double one_other_rounding = std::ldexp((u.abs().max() * plain.weight.abs().max()).item<double>(), -8);
  EXPECT_LT(difference.max().item<double>(), 2 * one_other_rounding + 3 * k_tolerance);
  EXPECT_LT(difference.mean().item<double>(), k_tolerance);
}

INSTANTIATE_TEST_SUITE_P(Faces, AtBfloat16Face,
                         ::testing::Combine(::testing::ValuesIn(faces_of_this_cpu(Precision::bfloat16)),
                                            ::testing::Values(Shape{1, 64, 64}, Shape{13, 71, 45},
                                                              Shape{15, 1, 33}, Shape{29, 4133, 128},
                                                              Shape{130, 192, 512})),
                         name_of);

// The definition in int8, by libtorch's operators, against its faces. Rows as they are: equal whole numbers,
// so what differs is the rounding of an activation or of one sum. Behind a LayerNorm its last bit may decide
// between neighbours in 255 steps.
class AtInt8Face : public AtFace {};

TEST_P(AtInt8Face, AgreesWithTheDefinition) {
  const auto& [face, shape] = GetParam();
  const auto [rows, depth, out] = shape;
  const Linear plain = random_linear(out, depth);
  const LayerNorm norm = random_norm(depth);
  const at::Tensor scale = at::randn({out});
  const at::Tensor x = at::randn({rows, depth}) * 2 + 0.5;
  const std::vector<int32_t> outliers = outliers_behind(norm);
  EXPECT_EQ(outliers.size(), depth >= 128 ? 16U : 0U);
  const FrozenLinear frozen(plain, {}, *face);
  const at::Tensor wanted = Int8Linear(plain.weight, plain.bias, {})(x);
  EXPECT_LT(worst(frozen(x, nullptr), wanted), k_tolerance);
  for (const Activation activation : {Activation::quick_gelu, Activation::gelu}) {
    EXPECT_LT(worst(frozen(x, nullptr, activation), activate(wanted, activation)), 2 * k_tolerance);
  }
  const at::Tensor stream = at::randn({rows, out});
  const at::Tensor added = stream.clone();
  frozen.add_to(added, x);
  EXPECT_LT(worst(added, stream + wanted), k_tolerance);
  const Int8Linear scaled(plain.weight * scale.unsqueeze(1), plain.bias * scale, {});
  EXPECT_LT(worst(FrozenLinear(plain, scale, *face)(x, nullptr), scaled(x)), 4 * k_tolerance);

  const FrozenLinear behind(plain, {}, *face, &norm);
  const Int8Linear kept(plain.weight, plain.bias, outliers);
  EXPECT_LT(worst(behind(x, nullptr), kept(x)), 3 * k_tolerance);
  const at::Tensor u = norm(x);
  const at::Tensor difference = (behind(x, &norm) - kept(u)).abs();
  const double step = ((u.max() - u.min()) / 255 * plain.weight.abs().max()).item<double>();
  EXPECT_LT(difference.max().item<double>(), 2 * step + 3 * k_tolerance);
  EXPECT_LT(difference.mean().item<double>(), 0.05 * step + k_tolerance);
  // It is the layer, but for the rounding that 255 steps allow.
  EXPECT_LT(((behind(x, &norm) - plain(u)).norm() / plain(u).norm()).item<double>(), 0.03);
  if (out % 64 != 0) return;
  EXPECT_LT(worst(behind.columns(x, nullptr, {out / 2, out}), kept(x).slice(1, out / 2)), 3 * k_tolerance);
  EXPECT_LT(worst(behind.grouped(x, nullptr, 64), kept(x).view({rows, out / 64, 64}).transpose(0, 1)),
            3 * k_tolerance);
}

INSTANTIATE_TEST_SUITE_P(Faces, AtInt8Face,
                         ::testing::Combine(::testing::ValuesIn(faces_of_this_cpu(Precision::int8)),
                                            ::testing::Values(Shape{1, 64, 64}, Shape{13, 71, 45},
                                                              Shape{15, 1, 33}, Shape{29, 4133, 128},
                                                              Shape{130, 192, 512})),
                         name_of);

TEST(Int8Linear, KeepsTheValuesThatLayerNormMakesLargest) {
  LayerNorm norm{at::ones({200}), at::zeros({200}), 1e-5};
  for (int64_t i = 0; i < 15; ++i) norm.weight[i * 13] = i % 2 == 0 ? 2.0F : -2.0F;
  norm.bias[199] = -7;
  const std::vector<int32_t> places = outliers_behind(norm);
  ASSERT_EQ(places.size(), 16U);
  for (int32_t i = 0; i < 15; ++i) EXPECT_EQ(places[i], i * 13);
  EXPECT_EQ(places[15], 199);
  EXPECT_TRUE(outliers_behind({at::ones({127}), at::zeros({127}), 1e-5}).empty());
}

TEST(Int8Linear, WhatIsNotFiniteMakesItsRowOrItsColumnNan) {
  Linear plain = random_linear(40, 70);
  plain.weight[5][6] = std::nan("");
  at::Tensor x = at::randn({4, 70});
  x[1][3] = std::nan("");
  x[2][69] = -INFINITY;
  for (const kernels::Row* face : faces_of_this_cpu(Precision::int8)) {
    const at::Tensor y = FrozenLinear(plain, {}, *face)(x, nullptr);
    EXPECT_TRUE(y.slice(0, 1, 3).isnan().all().item<bool>()) << face->face;
    EXPECT_TRUE(y.select(1, 5).isnan().all().item<bool>()) << face->face;
    EXPECT_TRUE(y[0].slice(0, 6).isfinite().all().item<bool>()) << face->face;
    EXPECT_TRUE(y[3].slice(0, 0, 5).isfinite().all().item<bool>()) << face->face;
  }
}

TEST(Int8Linear, ALayerTooDeepForExactSumsIsRefused) {
  const Linear deep{at::zeros({1, 65537}), at::zeros({1})};
  for (const kernels::Row* face : faces_of_this_cpu(Precision::int8)) {
    try {
      FrozenLinear(deep, {}, *face);
      FAIL() << face->face;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), "E_MODEL_CONFIG");
    }
  }
}

// With the unit matrix for weights the rounded rows themselves come out.
TEST(FrozenLinear, RoundsRowsToTheNearestBfloat16HalvesToEven) {
  const int64_t depth = 64;
  const Linear unit{at::eye(depth), {}};
  at::Tensor x = at::empty({600, depth}, at::kFloat);
  // Every exponent of a normal float; mantissas at, above and below halves, and the rest by chance.
  uint32_t seed = 7;
  for (int64_t i = 0; i < x.numel(); ++i) {
    seed = seed * 1664525U + 1013904223U;
    const uint32_t exponent = 1 + static_cast<uint32_t>(i) % 254;
    const uint32_t high = seed >> 9 & 0x7F0000U;
    const uint32_t low[] = {0x8000U, 0x8001U, 0x7FFFU, seed & 0xFFFFU};
    const uint32_t bits = (seed & 0x80000000U) | exponent << 23 | high | low[i % 4];
    x.mutable_data_ptr<float>()[i] = std::bit_cast<float>(bits);
  }
  for (const kernels::Row* face : faces_of_this_cpu(Precision::bfloat16)) {
    EXPECT_TRUE(at::equal(FrozenLinear(unit, {}, *face)(x, nullptr), rounded(x))) << face->face;
  }
}

TEST(FrozenLinear, NanAndInfinityComeThroughBfloat16) {
  const Linear plain = random_linear(40, 70);
  for (const kernels::Row* face : faces_of_this_cpu(Precision::bfloat16)) {
    const FrozenLinear frozen(plain, {}, *face);
    at::Tensor x = at::randn({3, 70});
    // A payload that vanishes with the low half of a float would leave an infinity; written as bits, because
    // conversions make it quiet.
    constexpr uint32_t payload = 0x7F800001U;
    std::memcpy(x.mutable_data_ptr<float>() + 69, &payload, sizeof payload);
    x[1][3] = std::bit_cast<float>(0xFFC00000U);
    const at::Tensor y = frozen(x, nullptr);
    EXPECT_TRUE(y.slice(0, 0, 2).isnan().all().item<bool>()) << face->face;
    EXPECT_TRUE(y[2].isfinite().all().item<bool>()) << face->face;
    Linear lost = random_linear(40, 70);
    std::memcpy(lost.weight.mutable_data_ptr<float>() + 5 * 70 + 6, &payload, sizeof payload);
    const at::Tensor z = FrozenLinear(lost, {}, *face)(at::randn({3, 70}), nullptr);
    EXPECT_TRUE(z.select(1, 5).isnan().all().item<bool>()) << face->face;
    EXPECT_TRUE(z.slice(1, 6).isfinite().all().item<bool>()) << face->face;
  }
}

TEST(FrozenLinear, ARowsBitsDependOnThatRowAlone) {
  at::manual_seed(2);
  const Linear plain = random_linear(128, 192);
  const LayerNorm norm = random_norm(192);
  const at::Tensor x = at::randn({131, 192});
  for (const kernels::Row& face : kernels::table()) {
    if (face.as<kernels::LinearFace>() == nullptr || !kernels::can_run(face)) continue;
    const FrozenLinear frozen(plain, {}, face);
    const at::Tensor all = frozen(x, &norm, Activation::gelu);
    for (const auto& [from, to] : {std::pair{0, 1}, {5, 19}, {117, 131}}) {
      EXPECT_TRUE(at::equal(frozen(x.slice(0, from, to), &norm, Activation::gelu), all.slice(0, from, to)))
          << face.face;
    }
  }
}

TEST(FrozenBlock, EqualsThePlainBlockUpToRounding) {
  const at::NoGradGuard guard;
  at::manual_seed(3);
  Block plain;
  plain.ln1 = random_norm(128);
  plain.qkv = random_linear(384, 128);
  plain.out = random_linear(128, 128);
  plain.ls1 = at::randn({128});
  plain.ln2 = random_norm(128);
  plain.fc1 = random_linear(512, 128);
  plain.fc2 = random_linear(128, 512);
  plain.ls2 = at::randn({128});
  plain.heads = 2;
  const at::Tensor x = at::randn({1, 75, 128});
  const at::Tensor wanted = plain.forward(x);
  const at::Tensor stream = x.clone();
  FrozenBlock(plain).forward(stream);
  EXPECT_LT(worst(stream, wanted), 1e-4);
  EXPECT_LT(worst(FrozenBlock(plain).values(x), plain.project_values(plain.ln1(x))), 3 * k_tolerance);
}

TEST(FrozenBlock, InBfloat16AndInInt8StaysCloseToFloat32ThroughItsDefinition) {
  const at::NoGradGuard guard;
  at::manual_seed(4);
  Block plain;
  plain.ln1 = random_norm(128);
  plain.qkv = random_linear(384, 128);
  plain.out = random_linear(128, 128);
  plain.ln2 = random_norm(128);
  plain.fc1 = random_linear(512, 128);
  plain.fc2 = random_linear(128, 512);
  plain.heads = 2;
  const at::Tensor x = at::randn({1, 75, 128});
  const at::Tensor exact = plain.forward(x);
  const at::Tensor stream = x.clone();
  FrozenBlock(plain, Precision::bfloat16).forward(stream);
  const double error = ((stream - exact).norm() / exact.norm()).item<double>();
  EXPECT_GT(error, 1e-4);  // it did round
  EXPECT_LT(error, 1e-2);
  const at::Tensor coarse = x.clone();
  FrozenBlock(plain, Precision::int8).forward(coarse);
  const double coarser = ((coarse - exact).norm() / exact.norm()).item<double>();
  EXPECT_GT(coarser, 2 * error);
  EXPECT_LT(coarser, 4e-2);
}

}  // namespace
}  // namespace crane::layers
