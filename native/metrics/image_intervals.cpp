#include "metrics/image_intervals.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "metrics/level_counts.h"
#include "metrics/seeded_generator.h"

namespace crane::metrics {
namespace {

// The figures of each draw; NaN where a draw holds one label only.
struct Draws {
  std::vector<double> auroc;
  std::vector<double> average_precision;
  std::vector<double> f1_max;

  explicit Draws(size_t resamples)
      : auroc(resamples, std::numeric_limits<double>::quiet_NaN()), average_precision(auroc), f1_max(auroc) {}
};

// Highest score first; of equal ones in the order given.
std::vector<size_t> sorted_by_score(std::span<const double> scores) {
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores[a] > scores[b]; });
  return order;
}

Draws draw_figures(const ScoredClass& pictures, const BootstrapSettings& resampling) {
  const size_t count = pictures.scores.size();
  const std::vector<size_t> order = sorted_by_score(pictures.scores);
  // Equal scores are one threshold.
  std::vector<size_t> level(count);
  for (size_t i = 1; i < count; ++i)
    level[i] = level[i - 1] + (pictures.scores[order[i]] != pictures.scores[order[i - 1]] ? 1 : 0);
  LevelCounts counts(count == 0 ? 0 : level.back() + 1);
  SeededGenerator generator(resampling.seed, pictures.stream);
  Draws draws(static_cast<size_t>(resampling.resamples));
  for (size_t draw = 0; draw < draws.auroc.size(); ++draw) {
    counts.clear();
    for (size_t i = 0; i < count; ++i) {
      const size_t drawn = generator.below(count);
      ++(pictures.is_anomalous[order[drawn]] ? counts.anomalous : counts.normal)[level[drawn]];
    }
    const auto figures = ranking_figures(counts);
    if (!figures) continue;
    draws.auroc[draw] = figures->auroc;
    draws.average_precision[draw] = figures->average_precision;
    draws.f1_max[draw] = figures->f1_max;
  }
  return draws;
}

Draws mean_of(std::span<const Draws> classes, size_t resamples) {
  Draws mean(resamples);
  const auto average = [&](std::vector<double> Draws::*figure) {
    for (size_t draw = 0; draw < resamples; ++draw) {
      double sum = 0;
      for (const Draws& of : classes) sum += (of.*figure)[draw];
      (mean.*figure)[draw] = sum / static_cast<double>(classes.size());
    }
  };
  average(&Draws::auroc);
  average(&Draws::average_precision);
  average(&Draws::f1_max);
  return mean;
}

std::optional<Interval> interval_of(std::vector<double> values, const BootstrapSettings& resampling) {
  std::erase_if(values, [](double value) { return std::isnan(value); });
  if (values.size() < 2) return std::nullopt;
  std::sort(values.begin(), values.end());
  return Interval{quantile(values, resampling.low()), quantile(values, resampling.high()),
                  static_cast<int64_t>(values.size())};
}

ImageIntervals intervals_of(const Draws& draws, const BootstrapSettings& resampling) {
  return {interval_of(draws.auroc, resampling), interval_of(draws.average_precision, resampling),
          interval_of(draws.f1_max, resampling)};
}

}  // namespace

SetIntervals image_intervals(std::span<const ScoredClass> classes, const BootstrapSettings& resampling) {
  SetIntervals result;
  std::vector<Draws> draws;
  for (const ScoredClass& pictures : classes) {
    draws.push_back(draw_figures(pictures, resampling));
    result.classes.push_back(intervals_of(draws.back(), resampling));
  }
  result.mean = intervals_of(mean_of(draws, static_cast<size_t>(resampling.resamples)), resampling);
  return result;
}

}  // namespace crane::metrics
