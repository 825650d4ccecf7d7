// The engine's metrics equal the judge's on thousands of small random sets full of ties, empty masks,
// one-pixel regions, constant maps, denormals and signed zeros.
#include "judge.h"

#include <gtest/gtest.h>

#include "evaluate.h"
#include "random_pictures.h"

namespace crane::metrics {
namespace {

// Both sum doubles, in another order.
constexpr double k_rounding = 1e-12;

struct Compared {
  int values = 0;
  int undefined = 0;
};

void expect_same(const std::optional<double>& expected, const Metric& got, const char* name,
                 Compared& compared) {
  ASSERT_EQ(expected.has_value(), got.value.has_value()) << name << ": " << got.reason;
  if (!expected) {
    EXPECT_NE(got.reason, "") << name;
    ++compared.undefined;
    return;
  }
  EXPECT_NEAR(*expected, *got.value, k_rounding) << name;
  ++compared.values;
}

void compare_with_judge(const std::vector<judge::Picture>& pictures, Compared& compared) {
  EvaluateOptions options;
  options.limits = {0.05, 0.3, 1.0};
  const PixelResult got = evaluate(pictures, options, 2).pixel;
  const auto all = judge::pixels(pictures);
  const double anomalous = judge::number_anomalous(all);
  const bool has_both = anomalous > 0 && anomalous < static_cast<double>(all.size());
  EXPECT_EQ(got.regions, judge::regions(pictures).size());
  expect_same(judge::auroc(all), got.ranking.auroc, "AUROC", compared);
  if (has_both) {
    const auto [f1, threshold] = judge::best_f1(all);
    expect_same(f1, got.ranking.best_f1.f1, "F1max", compared);
    // Where two thresholds share the best F1 in exact arithmetic, the judge's rounding may prefer either.
    const judge::AtThreshold counts = judge::at(all, got.ranking.best_f1.threshold);
    EXPECT_NEAR(f1, 2 * counts.found / (counts.found + counts.false_alarms + anomalous), k_rounding);
    EXPECT_LE(threshold, got.ranking.best_f1.threshold + 1e-300);
    EXPECT_NEAR(got.ranking.best_f1.recall, counts.found / anomalous, k_rounding);
    EXPECT_NEAR(got.ranking.best_f1.precision, counts.found / (counts.found + counts.false_alarms),
                k_rounding);
    expect_same(judge::average_precision(all), got.ranking.average_precision, "AP", compared);
  } else {
    expect_same(std::nullopt, got.ranking.best_f1.f1, "F1max", compared);
    expect_same(std::nullopt, got.ranking.average_precision, "AP", compared);
  }
  for (const ProAtLimit& pro : got.aupro) {
    expect_same(has_both ? std::optional(judge::aupro(pictures, pro.limit)) : std::nullopt, pro.exact,
                "AUPRO", compared);
    expect_same(has_both ? judge::aupro_200(pictures, pro.limit) : std::nullopt, pro.reference, "AUPRO-200",
                compared);
  }
}

class AgainstJudge : public ::testing::TestWithParam<Scores> {};

TEST_P(AgainstJudge, EveryMetricIsEqual) {
  Compared compared;
  for (uint32_t seed = 0; seed < 400 && !HasFailure(); ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    compare_with_judge(random_pictures(seed, GetParam()), compared);
  }
  RecordProperty("values", compared.values);
  EXPECT_GT(compared.values, 2000);
  EXPECT_GT(compared.undefined, 100);
}

INSTANTIATE_TEST_SUITE_P(Metrics, AgainstJudge,
                         ::testing::Values(Scores::few_levels, Scores::continuous, Scores::special),
                         [](const auto& info) {
                           return info.param == Scores::few_levels   ? "FewLevels"
                                  : info.param == Scores::continuous ? "Continuous"
                                                                     : "Special";
                         });

TEST(ImageMetrics, EqualTheJudge) {
  std::mt19937 random(5);
  int defined = 0;
  for (int round = 0; round < 500; ++round) {
    std::vector<judge::Scored> all;
    ClassEvaluator evaluator;
    const auto count = 1 + random() % 12;
    for (uint32_t i = 0; i < count; ++i) {
      const judge::Scored image{static_cast<double>(random() % 5) / 4 + (random() % 2) * 1e-12,
                                random() % 2 == 0};
      all.push_back(image);
      MeasuredPicture view;
      view.score = image.score;
      view.is_anomalous = image.is_anomalous;
      evaluator.add(view);
    }
    const Ranking got = evaluator.finish({}, 1).image;
    const auto expected = judge::auroc(all);
    ASSERT_EQ(expected.has_value(), got.auroc.value.has_value());
    if (!expected) continue;
    ++defined;
    EXPECT_NEAR(*expected, *got.auroc.value, k_rounding);
    EXPECT_NEAR(judge::average_precision(all), *got.average_precision.value, k_rounding);
    EXPECT_NEAR(judge::best_f1(all).first, *got.best_f1.f1.value, k_rounding);
  }
  EXPECT_GT(defined, 300);
}

}  // namespace
}  // namespace crane::metrics
