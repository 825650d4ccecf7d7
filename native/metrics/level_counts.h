// Figures of counts at levels: level 0 is the highest threshold, and calling everything at or above a level
// anomalous gives its figures (docs/metrics.md). For scores that are drawn again and again, or only counted
// at fixed levels; figures of all scores and pixels are those of ClassEvaluator.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace crane::metrics {

// Whole numbers: a sum of them is exact.
struct LevelCounts {
  std::vector<double> anomalous;
  std::vector<double> normal;

  explicit LevelCounts(size_t levels) : anomalous(levels), normal(levels) {}
  void clear();
};

struct BestLevel {
  size_t level = 0;
  double f1 = -1;
  double precision = 0;
  double recall = 0;
};

// Of equal F1 the highest threshold: fewer false alarms. Levels without a count are no threshold of their
// own. None without an anomalous count.
std::optional<BestLevel> best_level(const LevelCounts& counts);

// None without an anomalous count.
std::optional<double> f1_at_level(const LevelCounts& counts, size_t level);

struct RankingFigures {
  double auroc = 0;
  double average_precision = 0;
  double f1_max = 0;
};

// None when only one label has a count.
std::optional<RankingFigures> ranking_figures(const LevelCounts& counts);

}  // namespace crane::metrics
