// The tower's entrance: positions fitted to another grid in each of the three ways, against their
// definitions.
#include "vision/tower.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "weights/synth.h"

namespace crane::vision {
namespace {

constexpr int64_t k_width = 64;
constexpr int64_t k_patch = 2;
constexpr int64_t k_side = 4;

// One block; class token and patches are zero, so what embed() gives is the position table.
weights::CanonicalWeights bare_weights() {
  std::vector<weights::SynthTensor> tensors;
  const auto add = [&](const char* name, std::vector<int64_t> shape, std::optional<int> exponent,
                       double base = 0) {
    weights::SynthTensor tensor;
    tensor.salt = "tower";
    tensor.name = name;
    tensor.shape = std::move(shape);
    tensor.exponent = exponent;
    tensor.base = base;
    tensors.push_back(std::move(tensor));
  };
  add("visual.patch.weight", {k_width, 3, k_patch, k_patch}, {});
  add("visual.cls", {k_width}, {});
  add("visual.pos", {1 + k_side * k_side, k_width}, 0);
  for (const char* norm : {"visual.blocks.0.ln1", "visual.blocks.0.ln2", "visual.ln_post"}) {
    add(join_text(norm, ".weight").c_str(), {k_width}, {}, 1);
    add(join_text(norm, ".bias").c_str(), {k_width}, {});
  }
  add("visual.blocks.0.qkv.weight", {3 * k_width, k_width}, 3);
  add("visual.blocks.0.qkv.bias", {3 * k_width}, 3);
  add("visual.blocks.0.out.weight", {k_width, k_width}, 3);
  add("visual.blocks.0.out.bias", {k_width}, 3);
  add("visual.blocks.0.fc1.weight", {k_width, k_width}, 3);
  add("visual.blocks.0.fc1.bias", {k_width}, 3);
  add("visual.blocks.0.fc2.weight", {k_width, k_width}, 3);
  add("visual.blocks.0.fc2.bias", {k_width}, 3);
  return weights::canonicalise({weights::synth_file("bare", tensors)});
}

// The cubic convolution kernel: a = -0.75 or -0.5.
double cubic(double x, double a) {
  x = std::abs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return 0;
}

// How much each of `from` samples gives to sample `at` of `to` (align_corners false). `scale`: samples of the
// source for each of the result.
std::vector<double> share_of(PositionInterpolation::Kind kind, int64_t from, int64_t at, double scale) {
  using Kind = PositionInterpolation::Kind;
  std::vector<double> share(static_cast<size_t>(from), 0.0);
  const double centre = (static_cast<double>(at) + 0.5) * scale - 0.5;
  const auto clamped = [&](int64_t i) { return static_cast<size_t>(std::clamp<int64_t>(i, 0, from - 1)); };
  switch (kind) {
    case Kind::bilinear: {
      const double position = std::max(centre, 0.0);
      const auto low = static_cast<int64_t>(std::floor(position));
      share[clamped(low)] += 1 - (position - static_cast<double>(low));
      share[clamped(low + 1)] += position - static_cast<double>(low);
      break;
    }
    case Kind::bicubic: {
      const auto low = static_cast<int64_t>(std::floor(centre));
      for (int64_t i = low - 1; i <= low + 2; ++i) {
        share[clamped(i)] += cubic(centre - static_cast<double>(i), -0.75);
      }
      break;
    }
    case Kind::bicubic_antialias: {
      // Wider when the grid shrinks; what lies outside is dropped, and the rest adds up to 1.
      const double stretch = std::max(scale, 1.0);
      double sum = 0;
      for (int64_t i = 0; i < from; ++i) {
        share[static_cast<size_t>(i)] = cubic((static_cast<double>(i) - centre) / stretch, -0.5);
        sum += share[static_cast<size_t>(i)];
      }
      for (double& s : share) s /= sum;
      break;
    }
  }
  return share;
}

class Positions : public ::testing::TestWithParam<PositionInterpolation::Kind> {};

TEST_P(Positions, AreFittedByTheirDefinition) {
  const at::NoGradGuard guard;
  const weights::CanonicalWeights weights = bare_weights();
  TowerConfig config;
  config.positions.kind = GetParam();
  const Tower tower = Tower::load(weights, config, at::kCPU);
  std::vector<float> table(static_cast<size_t>((1 + k_side * k_side) * k_width));
  weights::read_f32(weights.at("visual.pos"), table.data());
  int64_t compared = 0;
  for (const Grid grid : {Grid{6, 6}, Grid{3, 9}, Grid{2, 3}}) {
    const at::Tensor tokens = tower.embed(at::zeros({1, 3, grid.height * k_patch, grid.width * k_patch}))[0];
    ASSERT_EQ(tokens.size(0), 1 + grid.count());
    const auto got = tokens.accessor<float, 2>();
    for (int64_t c = 0; c < k_width; ++c) EXPECT_EQ(got[0][c], table[static_cast<size_t>(c)]);
    const double down = static_cast<double>(k_side) / static_cast<double>(grid.height);
    const double across = static_cast<double>(k_side) / static_cast<double>(grid.width);
    for (int64_t y = 0; y < grid.height; ++y) {
      const auto rows = share_of(GetParam(), k_side, y, down);
      for (int64_t x = 0; x < grid.width; ++x) {
        const auto columns = share_of(GetParam(), k_side, x, across);
        for (int64_t c = 0; c < k_width; ++c) {
          double wanted = 0;
          for (int64_t i = 0; i < k_side; ++i) {
            for (int64_t j = 0; j < k_side; ++j) {
              wanted += rows[static_cast<size_t>(i)] * columns[static_cast<size_t>(j)] *
                        static_cast<double>(table[static_cast<size_t>((1 + i * k_side + j) * k_width + c)]);
            }
          }
          ASSERT_NEAR(got[1 + y * grid.width + x][c], wanted, 2e-6) << y << " " << x;
          ++compared;
        }
      }
    }
  }
  EXPECT_EQ(compared, (36 + 27 + 6) * k_width);
}

INSTANTIATE_TEST_SUITE_P(EveryWay, Positions,
                         ::testing::Values(PositionInterpolation::Kind::bilinear,
                                           PositionInterpolation::Kind::bicubic,
                                           PositionInterpolation::Kind::bicubic_antialias));

TEST(Tower, KeepsItsPositionsOnTheirOwnGrid) {
  const at::NoGradGuard guard;
  const weights::CanonicalWeights weights = bare_weights();
  const Tower tower = Tower::load(weights, {}, at::kCPU);
  const at::Tensor tokens = tower.embed(at::zeros({1, 3, k_side * k_patch, k_side * k_patch}))[0];
  std::vector<float> table(static_cast<size_t>(tokens.numel()));
  weights::read_f32(weights.at("visual.pos"), table.data());
  EXPECT_EQ(
      std::vector<float>(tokens.const_data_ptr<float>(), tokens.const_data_ptr<float>() + tokens.numel()),
      table);
}

}  // namespace
}  // namespace crane::vision
