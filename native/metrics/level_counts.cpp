#include "metrics/level_counts.h"

#include <algorithm>
#include <numeric>

namespace crane::metrics {
namespace {

double sum(const std::vector<double>& counts) { return std::accumulate(counts.begin(), counts.end(), 0.0); }

}  // namespace

void LevelCounts::clear() {
  std::fill(anomalous.begin(), anomalous.end(), 0.0);
  std::fill(normal.begin(), normal.end(), 0.0);
}

std::optional<BestLevel> best_level(const LevelCounts& counts) {
  const double positives = sum(counts.anomalous);
  if (positives == 0) return std::nullopt;
  double found = 0;
  double called = 0;
  BestLevel best;
  for (size_t level = 0; level < counts.anomalous.size(); ++level) {
    if (counts.anomalous[level] == 0 && counts.normal[level] == 0) continue;
    found += counts.anomalous[level];
    called += counts.anomalous[level] + counts.normal[level];
    const double f1 = (2 * found) / (called + positives);
    if (f1 > best.f1) best = {level, f1, found / called, found / positives};
  }
  return best;
}

std::optional<double> f1_at_level(const LevelCounts& counts, size_t level) {
  const double positives = sum(counts.anomalous);
  if (positives == 0) return std::nullopt;
  double found = 0;
  double called = 0;
  for (size_t at = 0; at <= level; ++at) {
    found += counts.anomalous[at];
    called += counts.anomalous[at] + counts.normal[at];
  }
  return (2 * found) / (called + positives);
}

std::optional<RankingFigures> ranking_figures(const LevelCounts& counts) {
  const double positives = sum(counts.anomalous);
  const double negatives = sum(counts.normal);
  if (positives == 0 || negatives == 0) return std::nullopt;
  double true_positives = 0;
  double false_positives = 0;
  double pairs = 0;
  RankingFigures figures;
  for (size_t level = 0; level < counts.anomalous.size(); ++level) {
    const double up = counts.anomalous[level];
    const double across = counts.normal[level];
    if (up + across == 0) continue;
    pairs += across * (true_positives + up / 2);
    true_positives += up;
    false_positives += across;
    figures.average_precision += (up / positives) * (true_positives / (true_positives + false_positives));
  }
  figures.auroc = pairs / (positives * negatives);
  figures.f1_max = best_level(counts)->f1;
  return figures;
}

}  // namespace crane::metrics
