// What must hold for any maps: order, scale and repetition of pictures do not matter, nor does the number of
// threads.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <thread>

#include "evaluate.h"
#include "random_pictures.h"

namespace crane::metrics {
namespace {

constexpr uint32_t k_sets = 60;

// Undefined figures compare as -1.
std::vector<double> figures(const PixelResult& pixel) {
  std::vector<double> all;
  for (const Metric* metric :
       {&pixel.ranking.auroc, &pixel.ranking.average_precision, &pixel.ranking.best_f1.f1}) {
    all.push_back(metric->value.value_or(-1));
  }
  for (const ProAtLimit& pro : pixel.aupro) all.push_back(pro.exact.value.value_or(-1));
  return all;
}

std::vector<double> reference_figures(const PixelResult& pixel) {
  std::vector<double> all;
  for (const ProAtLimit& pro : pixel.aupro) all.push_back(pro.reference.value.value_or(-1));
  return all;
}

TEST(PixelMetrics, OrderOfPicturesChangesNoBit) {
  for (uint32_t seed = 0; seed < k_sets; ++seed) {
    auto pictures = random_pictures(seed, Scores::continuous);
    const PixelResult before = evaluate(pictures).pixel;
    std::shuffle(pictures.begin(), pictures.end(), std::mt19937(seed));
    const PixelResult after = evaluate(pictures).pixel;
    EXPECT_EQ(figures(before), figures(after));
    EXPECT_EQ(reference_figures(before), reference_figures(after));
  }
}

TEST(PixelMetrics, NumberOfThreadsChangesNoBit) {
  const auto pictures = random_pictures(3, Scores::continuous);
  const auto alone = figures(evaluate(pictures, {}, 1).pixel);
  for (int threads = 2; threads < 6; ++threads) {
    ClassEvaluator evaluator;
    {
      std::vector<std::jthread> adders;
      for (const judge::Picture& picture : pictures) {
        adders.emplace_back([&evaluator, &picture] { evaluator.add(view_of(picture)); });
      }
    }
    EXPECT_EQ(alone, figures(evaluator.finish({}, threads).pixel));
  }
}

TEST(PixelMetrics, RisingTransformOfScoresChangesNoBit) {
  for (uint32_t seed = 0; seed < k_sets; ++seed) {
    const auto pictures = random_pictures(seed, Scores::few_levels);
    auto transformed = pictures;
    for (judge::Picture& picture : transformed) {
      for (float& score : picture.map) score = std::exp(3.0f * score) - 5.0f;
    }
    EXPECT_EQ(figures(evaluate(pictures).pixel), figures(evaluate(transformed).pixel));
  }
}

TEST(PixelMetrics, RepeatingAllPicturesChangesNothing) {
  for (uint32_t seed = 0; seed < k_sets; ++seed) {
    const auto pictures = random_pictures(seed, Scores::few_levels);
    auto doubled = pictures;
    doubled.insert(doubled.end(), pictures.begin(), pictures.end());
    const auto once = figures(evaluate(pictures).pixel);
    const auto twice = figures(evaluate(doubled).pixel);
    for (size_t i = 0; i < once.size(); ++i) EXPECT_NEAR(once[i], twice[i], 1e-14);
  }
}

TEST(PixelMetrics, SignedZerosAreEqualScores) {
  const judge::Picture picture{{0.0f, -0.0f, 0.0f, -0.0f}, {1, 1, 0, 0}, 4, 1};
  EXPECT_EQ(evaluate({picture}).pixel.ranking.auroc.value, 0.5);
}

TEST(PixelMetrics, InfinitiesAreTheLowestAndHighestScores) {
  const float infinity = std::numeric_limits<float>::infinity();
  const judge::Picture picture{{infinity, 3e38f, -3e38f, -infinity}, {1, 0, 1, 0}, 4, 1};
  EvaluateOptions options;
  options.histogram_bins = 2;
  const PixelResult got = evaluate({picture}, options).pixel;
  EXPECT_EQ(got.ranking.auroc.value, 0.75);
  EXPECT_TRUE(got.aupro[0].exact.value.has_value());
  EXPECT_EQ(got.aupro[0].reference.reason, undefined::k_infinite_score);
  EXPECT_EQ(got.ranking.histogram->normal, (std::vector<uint64_t>{1, 1}));
  EXPECT_EQ(got.ranking.histogram->anomalous, (std::vector<uint64_t>{1, 1}));
}

TEST(PixelMetrics, FullListsGoIntoTablesWithoutLoss) {
  // More than 65,536 pixels share one bucket, anomalous and normal ones: lists overflow several times.
  constexpr int k_side = 600;
  std::mt19937 random(1);
  std::vector<judge::Picture> pictures;
  for (int p = 0; p < 2; ++p) {
    judge::Picture picture{{}, {}, k_side, k_side};
    for (int i = 0; i < k_side * k_side; ++i) {
      picture.mask.push_back(i % 3 == 0 && i / k_side % 2 == 0);
      picture.map.push_back(0.5f + static_cast<float>(random() % 3000) * 0x1p-24f);
    }
    pictures.push_back(std::move(picture));
  }
  const PixelResult got = evaluate(pictures).pixel;
  // Counted per level, 3000 of them.
  std::vector<double> anomalous(3000, 0);
  std::vector<double> normal(3000, 0);
  for (const judge::Picture& p : pictures) {
    for (size_t i = 0; i < p.map.size(); ++i) {
      const auto level = static_cast<size_t>((p.map[i] - 0.5f) * 0x1p24f);
      (p.mask[i] != 0 ? anomalous : normal)[level] += 1;
    }
  }
  double won = 0;
  double below = 0;
  double all_anomalous = 0;
  for (size_t level = 0; level < 3000; ++level) {
    won += anomalous[level] * (below + normal[level] / 2);
    below += normal[level];
    all_anomalous += anomalous[level];
  }
  EXPECT_NEAR(*got.ranking.auroc.value, won / (below * all_anomalous), 1e-13);
  EXPECT_EQ(got.ranking.normal, static_cast<uint64_t>(below));
  EXPECT_EQ(got.regions, 2u * 300u * 200u);
  // Every region is one pixel, so overlap is recall and the whole area is the AUROC.
  EvaluateOptions whole;
  whole.limits = {1.0};
  EXPECT_NEAR(*evaluate(pictures, whole).pixel.aupro[0].exact.value, won / (below * all_anomalous), 1e-12);
}

TEST(BucketCounts, ACounterThatWrapsLosesNothing) {
  BucketCounts<uint8_t> counts;
  const std::vector<uint16_t> lows(1000, 7);
  counts.add(lows);
  counts.add(std::vector<uint16_t>{6, 8, 8});
  EXPECT_EQ(counts.sum(7, 8), 1000u);
  EXPECT_EQ(counts.sum(0, 8), 1001u);
  EXPECT_EQ(counts.sum(8, 65536), 2u);
  EXPECT_EQ(counts.total(), 1003u);
}

TEST(ScoreKey, OrderIsThatOfTheFloats) {
  const float infinity = std::numeric_limits<float>::infinity();
  const float ascending[] = {-infinity, -3e38f, -1.0f, -1e-42f, 0.0f, 1e-45f, 1e-42f, 1.0f, 3e38f, infinity};
  for (size_t i = 1; i < std::size(ascending); ++i) EXPECT_LT(key_of(ascending[i - 1]), key_of(ascending[i]));
  for (const float score : ascending) EXPECT_EQ(score_of(key_of(score)), score);
  EXPECT_EQ(key_of(-0.0f), key_of(0.0f));
}

TEST(ScoreKey, ThresholdBetweenFloatsStartsAtTheNextOne) {
  const float below = 0.1f;
  const double between = static_cast<double>(below) + 1e-12;
  EXPECT_EQ(lowest_key_at_least(below), key_of(below));
  EXPECT_EQ(lowest_key_at_least(between), key_of(std::nextafter(below, 1.0f)));
  EXPECT_EQ(lowest_key_at_least(1e300), key_of(std::numeric_limits<float>::infinity()));
  EXPECT_EQ(lowest_key_at_least(-1e300), key_of(std::numeric_limits<float>::lowest()));
}

}  // namespace
}  // namespace crane::metrics
