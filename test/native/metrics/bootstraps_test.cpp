// Bootstraps over pictures. Their equality with the definitions, bit for bit, is tested from JavaScript
// (test/unit/metrics/bootstraps.test.ts); here are the numbers behind them and the edges.
#include <gtest/gtest.h>

#include <limits>

#include "core/error.h"
#include "metrics/best_threshold.h"
#include "metrics/image_intervals.h"
#include "metrics/seeded_generator.h"

namespace crane::metrics {
namespace {

TEST(SeededGenerator, GivesTheNumbersOfItsTypeScriptTwin) {
  SeededGenerator generator((uint64_t{1} << 40) + 7, "\u00e9");
  for (const uint32_t expected : {2025574133U, 2018325021U, 421208627U})
    EXPECT_EQ(generator.next(), expected);
  EXPECT_EQ(generator.below(10), 0U);
  // Some of these are drawn again.
  for (const uint32_t expected : {2597501758U, 2277645492U, 671336971U, 1679053234U, 2761095982U, 2235772197U,
                                  2955687021U, 2833529198U})
    EXPECT_EQ(generator.below(3'000'000'000), expected);
  EXPECT_EQ(generator.below(uint64_t{1} << 32), 1732849815U);
  EXPECT_THROW(SeededGenerator(uint64_t{1} << 53, ""), crane::Error);
}

TEST(BestThreshold, StandsHalfwayBelowTheLowestScoreThatIsCalled) {
  const std::vector<double> scores = {0.1, 0.2, 0.6, 0.9};
  const std::vector<uint8_t> labels = {0, 0, 1, 1};
  const auto [thresholds, pictures] = levels_of_scores(scores, labels);
  EXPECT_EQ(thresholds.back(), 0.1);  // nothing lies below the lowest
  const auto best = best_threshold(thresholds, pictures, {.resamples = 0}, "");
  ASSERT_TRUE(best.has_value());
  EXPECT_EQ(best->threshold, 0.4);
  EXPECT_EQ(best->f1, 1.0);
  EXPECT_EQ(best->low, 0.4);  // without draws nothing is known of how sure it is
  EXPECT_FALSE(best->f1_unseen.has_value());
}

TEST(BestThreshold, IsNoneWithoutAnomalousPictures) {
  const std::vector<double> scores = {0.1, 0.2};
  const std::vector<uint8_t> labels = {0, 0};
  const auto [thresholds, pictures] = levels_of_scores(scores, labels);
  EXPECT_FALSE(best_threshold(thresholds, pictures, {.resamples = 9}, "").has_value());
}

TEST(MapLevels, CountEveryValueAtTheHighestThresholdThatItReaches) {
  const std::vector<float> map = {0.0F, 0.25F, 0.2F, 1.0F, -1.0F, std::numeric_limits<float>::quiet_NaN()};
  const std::vector<uint8_t> mask = {0, 1, 0, 9, 0, 1};
  const PictureLevels counts = levels_of_map(map, mask, true, 4);
  EXPECT_EQ(map_thresholds(4), (std::vector<double>{0.75, 0.5, 0.25, 0.0}));
  EXPECT_EQ(counts.level, (std::vector<uint32_t>{0, 2, 3}));
  EXPECT_EQ(counts.anomalous, (std::vector<uint32_t>{1, 1, 0}));
  EXPECT_EQ(counts.normal, (std::vector<uint32_t>{0, 0, 3}));
}

TEST(MapLevels, DivideTheRangeThatMapsHave) {
  const std::vector<float> map = {0.0F, 1.0F, 0.9F, 4.0F, -1.0F, 3.0F};
  const PictureLevels counts = levels_of_map(map, {}, false, 4, {0, 4});
  EXPECT_EQ(map_thresholds(4, {0, 4}), (std::vector<double>{3, 2, 1, 0}));
  EXPECT_EQ(counts.level, (std::vector<uint32_t>{0, 2, 3}));
  EXPECT_EQ(counts.normal, (std::vector<uint32_t>{2, 1, 3}));
  EXPECT_EQ(map_thresholds(2, {-1, 1}), (std::vector<double>{0, -1}));
}

TEST(ImageIntervals, CountOnlyDrawsThatHoldBothLabels) {
  const std::vector<ScoredClass> classes = {{"a", {0.1, 0.9}, {0, 1}}, {"b", {0.5}, {1}}};
  const SetIntervals intervals = image_intervals(classes, {.resamples = 400, .seed = 111});
  ASSERT_TRUE(intervals.classes[0].auroc.has_value());
  EXPECT_GT(intervals.classes[0].auroc->resamples, 100);
  EXPECT_LT(intervals.classes[0].auroc->resamples, 300);
  EXPECT_FALSE(intervals.classes[1].f1_max.has_value());
  EXPECT_FALSE(intervals.mean.auroc.has_value());
}

}  // namespace
}  // namespace crane::metrics
