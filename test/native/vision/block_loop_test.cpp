// The loop over a tower's blocks against loops written here (plain_tower.h), with every tap.
#include "vision/block_loop.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "plain_tower.h"

namespace crane::vision {
namespace {

using plain::worst;

// Five blocks of sums over up to 512 products; streams grow to about 10, one rounding there is 1e-6.
constexpr double k_tolerance = 5e-5;
constexpr int64_t k_blocks = 5;
constexpr int64_t k_rows = 17;
constexpr int64_t k_batch = 2;

at::Tensor random_tokens(at::ScalarType type = at::kFloat) {
  return at::randn({k_batch, k_rows, plain::k_width}, at::TensorOptions().dtype(type));
}

// Runs both faces on copies of `tokens` and shows each result to `check`.
template <typename Check>
void with_both_faces(const std::vector<layers::Block>& blocks, const at::Tensor& tokens, const Taps& taps,
                     Check check) {
  const at::NoGradGuard guard;
  {
    SCOPED_TRACE("frozen");
    check(run_blocks(std::span<const layers::FrozenBlock>(plain::frozen(blocks)), tokens.clone(), taps));
  }
  {
    SCOPED_TRACE("plain");
    const at::Tensor given = tokens.clone();
    check(run_blocks(std::span<const layers::Block>(blocks), given, taps));
    EXPECT_TRUE(at::equal(given, tokens)) << "the plain face changed its input";
  }
}

class BlockLoop : public ::testing::Test {
 protected:
  void SetUp() override { at::manual_seed(11); }
};

TEST_F(BlockLoop, LevelsAreThePlainStreamAfterTheirBlocks) {
  for (const bool has_layer_scale : {false, true}) {
    const auto blocks = plain::random_blocks(k_blocks, at::kFloat, has_layer_scale);
    const at::Tensor tokens = random_tokens();
    Taps taps;
    taps.levels = {3, 1, 5};
    taps.end = PlainEnd::all;
    with_both_faces(blocks, tokens, taps, [&](const Tapped& tapped) {
      ASSERT_EQ(tapped.levels.size(), 3u);
      for (int64_t b = 0; b < k_batch; ++b) {
        at::Tensor x = tokens[b];
        for (int64_t i = 1; i <= k_blocks; ++i) {
          x = plain::forward(blocks[i - 1], x);
          if (tapped.levels.contains(i)) EXPECT_LT(worst(tapped.levels.at(i)[b], x), k_tolerance) << i;
        }
        EXPECT_LT(worst(tapped.plain[b], x), k_tolerance);
      }
      EXPECT_FALSE(tapped.second.defined());
    });
  }
}

TEST_F(BlockLoop, TheClassTokenAloneIsThatOfTheWholeStream) {
  const auto blocks = plain::random_blocks(k_blocks);
  const at::Tensor tokens = random_tokens();
  Taps whole;
  whole.end = PlainEnd::all;
  const at::NoGradGuard guard;
  const auto frozen = plain::frozen(blocks);
  const at::Tensor wanted =
      run_blocks(std::span<const layers::FrozenBlock>(frozen), tokens.clone(), whole).plain.slice(1, 0, 1);
  with_both_faces(blocks, tokens, Taps{}, [&](const Tapped& tapped) {
    ASSERT_EQ(tapped.plain.sizes(), (std::vector<int64_t>{k_batch, 1, plain::k_width}));
    EXPECT_LT(worst(tapped.plain, wanted), k_tolerance);
  });
}

TEST_F(BlockLoop, BlocksAfterTheLastTapDoNotRun) {
  auto blocks = plain::random_blocks(k_blocks);
  const at::Tensor tokens = random_tokens();
  Taps taps;
  taps.end = PlainEnd::none;
  taps.levels = {2};
  const at::NoGradGuard guard;
  const Tapped before = run_blocks(std::span<const layers::Block>(blocks), tokens, taps);
  EXPECT_FALSE(before.plain.defined());
  // Weights of another width: whoever runs this block fails.
  blocks[2].qkv.weight = at::zeros({3, 5});
  const Tapped after = run_blocks(std::span<const layers::Block>(blocks), tokens, taps);
  EXPECT_TRUE(at::equal(after.levels.at(2), before.levels.at(2)));
  taps.end = PlainEnd::cls;
  EXPECT_ANY_THROW(run_blocks(std::span<const layers::Block>(blocks), tokens, taps));
}

struct Correlation {
  const char* name;
  attention::SelfSet set;
};
constexpr Correlation k_correlations[] = {{"vv", {false, false, true, false}},
                                          {"qq+kk+vv", {true, true, true, false}}};

TEST_F(BlockLoop, TheSecondStreamGathersSelfCorrelationsFromItsFirstBlockOn) {
  const auto blocks = plain::random_blocks(k_blocks);
  const at::Tensor tokens = random_tokens();
  for (const Correlation& kind : k_correlations) {
    for (const int64_t first : {1, 3, 5}) {
      SCOPED_TRACE(join_text(kind.name, " from block ", first));
      Taps taps;
      taps.second = SecondStream{kind.set, first, {first, k_blocks}};
      taps.levels = {first};
      with_both_faces(blocks, tokens, taps, [&](const Tapped& tapped) {
        for (int64_t b = 0; b < k_batch; ++b) {
          at::Tensor x = tokens[b];
          at::Tensor e;
          for (int64_t i = 1; i <= k_blocks; ++i) {
            const layers::Block& block = blocks[i - 1];
            if (i == first) e = x;
            if (i >= first) {
              const plain::Heads h = plain::heads_of(block, x);
              at::Tensor sum = at::zeros_like(x);
              if (kind.set.q) sum = sum + plain::attention(h.q, h.q, h.v);
              if (kind.set.k) sum = sum + plain::attention(h.k, h.k, h.v);
              if (kind.set.v) sum = sum + plain::attention(h.v, h.v, h.v);
              e = e + plain::output(block, sum);
            }
            x = plain::forward(block, x);
            if (i == first) {
              EXPECT_LT(worst(tapped.second_levels.at(i)[b], e), k_tolerance);
              EXPECT_LT(worst(tapped.levels.at(i)[b], x), k_tolerance);
            }
          }
          EXPECT_LT(worst(tapped.second[b], e), k_tolerance);
          EXPECT_LT(worst(tapped.second_levels.at(k_blocks)[b], e), k_tolerance);
          EXPECT_LT(worst(tapped.plain[b], x.slice(0, 0, 1)), k_tolerance);
        }
      });
    }
  }
}

TEST_F(BlockLoop, ValuesAreReadAfterTheBlocksAttention) {
  const auto blocks = plain::random_blocks(k_blocks);
  const at::Tensor tokens = random_tokens();
  for (const bool first_of_second : {false, true}) {
    Taps taps;
    taps.second = SecondStream{{true, false, false, false}, 3, {}};
    taps.values = {3, 5};
    taps.first_values_of_second = first_of_second;
    with_both_faces(blocks, tokens, taps, [&](const Tapped& tapped) {
      ASSERT_EQ(tapped.values.size(), 2u);
      for (int64_t b = 0; b < k_batch; ++b) {
        at::Tensor x = tokens[b];
        for (int64_t i = 1; i <= k_blocks; ++i) {
          const layers::Block& block = blocks[i - 1];
          const plain::Heads h = plain::heads_of(block, x);
          at::Tensor read = x + plain::output(block, plain::attention(h.q, h.k, h.v));
          if (i == 3 && first_of_second) read = x + plain::output(block, plain::attention(h.q, h.q, h.v));
          if (tapped.values.contains(i)) {
            EXPECT_LT(worst(tapped.values.at(i)[b], plain::heads_of(block, read).v), k_tolerance) << i;
          }
          x = plain::forward(block, x);
        }
        EXPECT_LT(worst(tapped.plain[b], x.slice(0, 0, 1)), k_tolerance);
      }
    });
  }
}

TEST_F(BlockLoop, AppendedRowsStandBehindTheTokensAndAreReplacedBlockByBlock) {
  const auto blocks = plain::random_blocks(k_blocks);
  const at::Tensor tokens = random_tokens();
  // The same for every picture, then of each picture its own.
  const std::vector<at::Tensor> rows{at::randn({3, plain::k_width}), at::randn({k_batch, 3, plain::k_width}),
                                     at::randn({k_batch, 3, plain::k_width})};
  Taps taps;
  taps.appended = rows;
  taps.levels = {1, 2, 4};
  with_both_faces(blocks, tokens, taps, [&](const Tapped& tapped) {
    for (int64_t b = 0; b < k_batch; ++b) {
      at::Tensor x = tokens[b];
      for (int64_t i = 1; i <= k_blocks; ++i) {
        const auto at = static_cast<size_t>(i - 1);
        if (at < rows.size()) {
          x = at::cat({x.slice(0, 0, k_rows), rows[at].dim() == 3 ? rows[at][b] : rows[at]});
        }
        x = plain::forward(blocks[at], x);
        if (tapped.levels.contains(i)) EXPECT_LT(worst(tapped.levels.at(i)[b], x), k_tolerance) << i;
      }
      EXPECT_LT(worst(tapped.plain[b], x.slice(0, 0, 1)), k_tolerance);
    }
  });
}

TEST_F(BlockLoop, WhatIsTappedDoesNotChangeWhatComesOut) {
  const auto blocks = plain::frozen(plain::random_blocks(k_blocks));
  const at::Tensor tokens = random_tokens();
  const at::NoGradGuard guard;
  Taps bare;
  bare.end = PlainEnd::all;
  Taps full = bare;
  full.levels = {1, 2, 3, 4, 5};
  full.values = {2, 5};
  full.second = SecondStream{{true, true, true, false}, 2, {2, 4}};
  const std::span<const layers::FrozenBlock> all(blocks);
  EXPECT_TRUE(
      at::equal(run_blocks(all, tokens.clone(), bare).plain, run_blocks(all, tokens.clone(), full).plain));
}

TEST_F(BlockLoop, ATraceIsRecordedUnderTheCallersNames) {
  const auto blocks = plain::frozen(plain::random_blocks(3));
  const at::NoGradGuard guard;
  Taps taps;
  taps.second = SecondStream{{true, false, false, false}, 3, {}};
  taps.values = {3};
  const StageNames names{"in", "a#", "b#.plain", "b#.second", "read"};
  Trace trace;
  const Tapped tapped =
      run_blocks(std::span<const layers::FrozenBlock>(blocks), random_tokens(), taps, &trace, names);
  const TracedStages stages = trace.to_host({});
  std::vector<std::string> found;
  for (const auto& [name, stage] : stages) found.push_back(name);
  EXPECT_EQ(found, (std::vector<std::string>{"a01", "a02", "b03.plain", "b03.second", "read"}));
  // Whole, although only row 0 is wanted in the end.
  EXPECT_EQ(stages.at("b03.plain").shape, (std::vector<int64_t>{k_batch, k_rows, plain::k_width}));
  EXPECT_EQ(tapped.plain.size(1), 1);
}

TEST_F(BlockLoop, TapsThatDoNotFitAreRefused) {
  const auto blocks = plain::random_blocks(2);
  const auto run = [&](const Taps& taps) {
    return run_blocks(std::span<const layers::Block>(blocks), random_tokens(), taps);
  };
  Taps beyond;
  beyond.levels = {3};
  EXPECT_THROW(run(beyond), Error);
  Taps early;
  early.second = SecondStream{{true, false, false, false}, 2, {1}};
  EXPECT_THROW(run(early), Error);
  Taps both;
  both.second = SecondStream{{true, false, false, false}, 2, {}};
  both.appended = {at::zeros({1, plain::k_width})};
  EXPECT_THROW(run(both), Error);
}

// A number of everything that comes out; double, so that finite differences are exact to 1e-8.
at::Tensor judge(const Tapped& tapped) {
  at::manual_seed(5);
  at::Tensor sum = at::zeros({}, at::TensorOptions().dtype(at::kDouble));
  const auto add = [&](const at::Tensor& x) { sum = sum + (x * at::randn(x.sizes(), x.options())).sum(); };
  add(tapped.plain);
  for (const auto& [block, x] : tapped.levels) add(x);
  if (tapped.second.defined()) add(tapped.second);
  for (const auto& [block, x] : tapped.values) add(x);
  return sum;
}

// Gradients of judge() at `leaves` against differences of its values along one random direction each.
template <typename Run>
void check_gradients(std::vector<at::Tensor> leaves, Run run) {
  for (at::Tensor& leaf : leaves) leaf.set_requires_grad(true);
  judge(run(leaves)).backward();
  for (size_t i = 0; i < leaves.size(); ++i) {
    at::manual_seed(100 + static_cast<uint64_t>(i));
    const at::NoGradGuard guard;
    const at::Tensor direction = at::randn(leaves[i].sizes(), leaves[i].options());
    const double step = 1e-5;
    const auto shifted = [&](double by) {
      std::vector<at::Tensor> moved = leaves;
      moved[i] = leaves[i].detach() + by * direction;
      return judge(run(moved)).template item<double>();
    };
    const double wanted = (shifted(step) - shifted(-step)) / (2 * step);
    ASSERT_TRUE(leaves[i].grad().defined()) << i;
    const double got = (leaves[i].grad() * direction).sum().template item<double>();
    ASSERT_GT(std::abs(wanted), 1e-2) << i;
    EXPECT_NEAR(got / wanted, 1.0, 1e-6) << i;
  }
}

TEST_F(BlockLoop, GradientsReachAppendedRowsAndTokens) {
  const auto blocks = plain::random_blocks(4, at::kDouble);
  const auto random_rows = [] {
    return at::randn({3, plain::k_width}, at::TensorOptions().dtype(at::kDouble));
  };
  check_gradients({random_tokens(at::kDouble), random_rows(), random_rows()},
                  [&](const std::vector<at::Tensor>& leaves) {
                    Taps taps;
                    taps.appended = {leaves[1], leaves[2]};
                    taps.levels = {1, 3};
                    return run_blocks(std::span<const layers::Block>(blocks), leaves[0], taps);
                  });
}

TEST_F(BlockLoop, GradientsPassTheSecondStreamAndValues) {
  const auto blocks = plain::random_blocks(3, at::kDouble);
  for (const Correlation& kind : k_correlations) {
    SCOPED_TRACE(kind.name);
    check_gradients({random_tokens(at::kDouble)}, [&](const std::vector<at::Tensor>& leaves) {
      Taps taps;
      taps.second = SecondStream{kind.set, 2, {}};
      taps.values = {3};
      return run_blocks(std::span<const layers::Block>(blocks), leaves[0], taps);
    });
  }
}

}  // namespace
}  // namespace crane::vision
