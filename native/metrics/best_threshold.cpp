#include "metrics/best_threshold.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "metrics/level_counts.h"
#include "metrics/seeded_generator.h"

namespace crane::metrics {
namespace {

void sum_levels(std::span<const PictureLevels> pictures, std::span<const uint32_t> times, LevelCounts& sums) {
  sums.clear();
  for (size_t i = 0; i < pictures.size(); ++i) {
    if (times[i] == 0) continue;
    const PictureLevels& picture = pictures[i];
    for (size_t entry = 0; entry < picture.level.size(); ++entry) {
      const size_t level = picture.level[entry];
      sums.anomalous[level] += static_cast<double>(times[i]) * picture.anomalous[entry];
      sums.normal[level] += static_cast<double>(times[i]) * picture.normal[entry];
    }
  }
}

double halfway(double score, double lower) {
  const double middle = lower + (score - lower) / 2;
  // Neighbours among the numbers have none between them.
  return middle > lower ? middle : score;
}

// Anomalous ones, then normal ones.
std::array<std::vector<size_t>, 2> by_label(std::span<const PictureLevels> pictures) {
  std::array<std::vector<size_t>, 2> groups;
  for (size_t i = 0; i < pictures.size(); ++i) groups[pictures[i].is_anomalous ? 0 : 1].push_back(i);
  return groups;
}

}  // namespace

std::optional<BestThreshold> best_threshold(std::span<const double> thresholds,
                                            std::span<const PictureLevels> pictures,
                                            const BootstrapSettings& resampling, std::string_view stream) {
  LevelCounts sums(thresholds.size());
  std::vector<uint32_t> times(pictures.size(), 1);
  sum_levels(pictures, times, sums);
  const auto chosen = best_level(sums);
  if (!chosen) return std::nullopt;
  const auto groups = by_label(pictures);
  SeededGenerator generator(resampling.seed, stream);
  std::vector<double> drawn;
  double unseen = 0;
  int64_t unseen_draws = 0;
  for (int64_t draw = 0; draw < resampling.resamples; ++draw) {
    std::fill(times.begin(), times.end(), 0);
    for (const auto& group : groups)
      for (size_t i = 0; i < group.size(); ++i) ++times[group[generator.below(group.size())]];
    sum_levels(pictures, times, sums);
    const auto best = best_level(sums);
    if (!best) continue;
    drawn.push_back(thresholds[best->level]);
    for (uint32_t& count : times) count = count == 0 ? 1 : 0;
    sum_levels(pictures, times, sums);
    if (const auto f1 = f1_at_level(sums, best->level)) {
      unseen += *f1;
      ++unseen_draws;
    }
  }
  std::sort(drawn.begin(), drawn.end());
  BestThreshold result;
  result.threshold = thresholds[chosen->level];
  result.f1 = chosen->f1;
  result.precision = chosen->precision;
  result.recall = chosen->recall;
  result.low = drawn.empty() ? result.threshold : quantile(drawn, resampling.low());
  result.high = drawn.empty() ? result.threshold : quantile(drawn, resampling.high());
  if (unseen_draws > 0) result.f1_unseen = unseen / static_cast<double>(unseen_draws);
  return result;
}

LevelledPictures levels_of_scores(std::span<const double> scores, std::span<const uint8_t> is_anomalous) {
  std::vector<double> distinct(scores.begin(), scores.end());
  std::sort(distinct.begin(), distinct.end(), std::greater<>());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  LevelledPictures levelled;
  for (size_t i = 0; i < distinct.size(); ++i)
    levelled.thresholds.push_back(i + 1 < distinct.size() ? halfway(distinct[i], distinct[i + 1])
                                                          : distinct[i]);
  for (size_t i = 0; i < scores.size(); ++i) {
    const auto found = std::lower_bound(distinct.begin(), distinct.end(), scores[i], std::greater<>());
    const auto level = static_cast<uint32_t>(found - distinct.begin());
    const bool anomalous = is_anomalous[i] != 0;
    levelled.pictures.push_back({anomalous, {level}, {anomalous ? 1U : 0U}, {anomalous ? 0U : 1U}});
  }
  return levelled;
}

std::vector<double> map_thresholds(size_t levels, MapRange range) {
  std::vector<double> thresholds(levels);
  for (size_t level = 0; level < levels; ++level)
    thresholds[level] = range.low + static_cast<double>(levels - 1 - level) / static_cast<double>(levels) *
                                        (range.high - range.low);
  return thresholds;
}

PictureLevels levels_of_map(std::span<const float> map, std::span<const uint8_t> mask, bool is_anomalous,
                            size_t levels, MapRange range) {
  const double most = static_cast<double>(levels - 1);
  std::vector<uint32_t> anomalous(levels);
  std::vector<uint32_t> normal(levels);
  for (size_t i = 0; i < map.size(); ++i) {
    if (std::isnan(map[i])) continue;
    const double step = std::floor((static_cast<double>(map[i]) - range.low) / (range.high - range.low) *
                                   static_cast<double>(levels));
    const size_t level = levels - 1 - static_cast<size_t>(std::clamp(step, 0.0, most));
    ++(!mask.empty() && mask[i] != 0 ? anomalous : normal)[level];
  }
  PictureLevels result;
  result.is_anomalous = is_anomalous;
  for (size_t level = 0; level < levels; ++level) {
    if (anomalous[level] == 0 && normal[level] == 0) continue;
    result.level.push_back(static_cast<uint32_t>(level));
    result.anomalous.push_back(anomalous[level]);
    result.normal.push_back(normal[level]);
  }
  return result;
}

}  // namespace crane::metrics
