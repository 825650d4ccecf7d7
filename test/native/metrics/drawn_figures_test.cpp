// Figures of draws equal those of the evaluator on the drawn list itself.
#include "metrics/drawn_figures.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "evaluate.h"
#include "random_pictures.h"

namespace crane::metrics {
namespace {

constexpr double k_limit = 0.3;

DrawnFigures figures_of(const ClassResult& result) {
  const auto value = [](const Metric& metric) { return metric.value.value_or(NAN); };
  return {value(result.image.auroc),
          value(result.image.average_precision),
          value(result.image.best_f1.f1),
          value(result.pixel.ranking.auroc),
          value(result.pixel.ranking.average_precision),
          value(result.pixel.ranking.best_f1.f1),
          value(result.pixel.aupro.front().exact)};
}

void expect_equal(const DrawnFigures& got, const DrawnFigures& wanted, const std::string& what) {
  for (size_t i = 0; i < k_drawn_figures; ++i) {
    EXPECT_EQ(std::isnan(got[i]), std::isnan(wanted[i])) << what << ", figure " << i;
    if (std::isnan(wanted[i])) continue;
    EXPECT_NEAR(got[i], wanted[i], 1e-12) << what << ", figure " << i;
  }
}

TEST(DrawnFigures, AreTheEvaluatorsOfTheDrawnList) {
  int undefined = 0;
  int with_all = 0;
  for (const Scores scores : {Scores::few_levels, Scores::continuous, Scores::special}) {
    for (uint32_t seed = 0; seed < 120; ++seed) {
      const std::vector<judge::Picture> pictures = random_pictures(seed, scores);
      std::mt19937 random(seed + 1);
      std::vector<std::vector<uint32_t>> draws = {std::vector<uint32_t>(pictures.size(), 1)};
      for (int d = 0; d < 4; ++d) {
        std::vector<uint32_t> times(pictures.size());
        for (size_t i = 0; i < pictures.size(); ++i) ++times[random() % pictures.size()];
        draws.push_back(times);
      }
      const auto picture_of = [&](size_t i) {
        MeasuredPicture view = view_of(pictures[i], join_text("picture ", i));
        view.score = static_cast<double>((seed + i * 7) % 4);
        // some without a mask: normal, or anomalous and then without pixels
        if ((seed + i) % 5 == 0) {
          view.mask = nullptr;
          view.is_anomalous = i % 2 == 0;
        }
        return view;
      };
      DrawnPictures drawn;
      for (size_t i = 0; i < pictures.size(); ++i) drawn.add(picture_of(i));
      const auto got = drawn.figures(draws, k_limit, 2);
      for (size_t d = 0; d < draws.size(); ++d) {
        ClassEvaluator evaluator;
        for (size_t i = 0; i < pictures.size(); ++i) {
          for (uint32_t k = 0; k < draws[d][i]; ++k) evaluator.add(picture_of(i));
        }
        EvaluateOptions options;
        options.limits = {k_limit};
        const DrawnFigures wanted = figures_of(evaluator.finish(options, 1));
        expect_equal(got[d], wanted, join_text("seed ", seed, ", draw ", d));
        bool is_whole = true;
        for (const double each : wanted) is_whole = is_whole && !std::isnan(each);
        (is_whole ? with_all : undefined) += 1;
      }
    }
  }
  EXPECT_GT(with_all, 300);
  EXPECT_GT(undefined, 100);
}

TEST(DrawnFigures, AnswerAgainWithTheSameFigures) {
  const std::vector<judge::Picture> pictures = random_pictures(3, Scores::continuous);
  DrawnPictures drawn;
  for (const judge::Picture& picture : pictures) drawn.add(view_of(picture));
  const std::vector<std::vector<uint32_t>> all = {std::vector<uint32_t>(pictures.size(), 1)};
  expect_equal(drawn.figures(all, k_limit, 1).front(), drawn.figures(all, k_limit, 2).front(), "again");
}

TEST(DrawnFigures, RefuseDrawsAndLimitsThatMakeNoSense) {
  const std::vector<judge::Picture> pictures = random_pictures(3, Scores::continuous);
  DrawnPictures drawn;
  for (const judge::Picture& picture : pictures) drawn.add(view_of(picture));
  const std::vector<std::vector<uint32_t>> other = {std::vector<uint32_t>(pictures.size() + 1, 1)};
  const std::vector<std::vector<uint32_t>> all = {std::vector<uint32_t>(pictures.size(), 1)};
  EXPECT_THROW(drawn.figures(other, k_limit, 1), Error);
  EXPECT_THROW(drawn.figures(all, 0, 1), Error);
  EXPECT_THROW(drawn.figures(all, 1.5, 1), Error);
  MeasuredPicture nothing;
  nothing.name = "nothing";
  EXPECT_THROW(drawn.add(nothing), Error);
  EXPECT_EQ(drawn.figures(all, k_limit, 1).size(), 1U);
}

}  // namespace
}  // namespace crane::metrics
