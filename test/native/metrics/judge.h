// The metrics again, written from their definitions and as slow as those are: every pair, every threshold,
// every pixel. Shares nothing with the engine but the types of the input.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace crane::metrics::judge {

struct Picture {
  std::vector<float> map;
  std::vector<uint8_t> mask;
  int width;
  int height;
};

struct Scored {
  double score;
  bool is_anomalous;
};

// Share of pairs (anomalous, normal) that the anomalous one wins; a tie is half a win.
inline std::optional<double> auroc(const std::vector<Scored>& all) {
  double won = 0;
  double pairs = 0;
  for (const Scored& a : all) {
    if (!a.is_anomalous) continue;
    for (const Scored& n : all) {
      if (n.is_anomalous) continue;
      pairs += 1;
      won += a.score > n.score ? 1.0 : a.score == n.score ? 0.5 : 0.0;
    }
  }
  return pairs == 0 ? std::nullopt : std::optional(won / pairs);
}

struct AtThreshold {
  double found = 0;
  double false_alarms = 0;
};

inline AtThreshold at(const std::vector<Scored>& all, double threshold) {
  AtThreshold counts;
  for (const Scored& s : all) {
    if (s.score >= threshold) (s.is_anomalous ? counts.found : counts.false_alarms) += 1;
  }
  return counts;
}

inline std::vector<double> thresholds(const std::vector<Scored>& all) {
  std::vector<double> values;
  for (const Scored& s : all) values.push_back(s.score);
  std::sort(values.begin(), values.end(), std::greater<>());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

inline double number_anomalous(const std::vector<Scored>& all) {
  double count = 0;
  for (const Scored& s : all) count += s.is_anomalous;
  return count;
}

inline double average_precision(const std::vector<Scored>& all) {
  double sum = 0;
  double recall_before = 0;
  for (const double threshold : thresholds(all)) {
    const AtThreshold counts = at(all, threshold);
    const double recall = counts.found / number_anomalous(all);
    sum += (recall - recall_before) * counts.found / (counts.found + counts.false_alarms);
    recall_before = recall;
  }
  return sum;
}

// (best F1, highest threshold that reaches it)
inline std::pair<double, double> best_f1(const std::vector<Scored>& all) {
  std::pair<double, double> best{-1, 0};
  for (const double threshold : thresholds(all)) {
    const AtThreshold counts = at(all, threshold);
    const double f1 = 2 * counts.found / (counts.found + counts.false_alarms + number_anomalous(all));
    if (f1 > best.first) best = {f1, threshold};
  }
  return best;
}

// Regions by flood fill over all eight neighbours; each a list of scores.
inline std::vector<std::vector<double>> regions(const std::vector<Picture>& pictures) {
  std::vector<std::vector<double>> regions;
  for (const Picture& p : pictures) {
    std::vector<bool> seen(p.mask.size(), false);
    for (int start = 0; start < p.width * p.height; ++start) {
      if (p.mask[start] == 0 || seen[start]) continue;
      std::vector<int> todo{start};
      seen[start] = true;
      regions.emplace_back();
      while (!todo.empty()) {
        const int pixel = todo.back();
        todo.pop_back();
        regions.back().push_back(p.map[pixel]);
        for (int dy = -1; dy <= 1; ++dy) {
          for (int dx = -1; dx <= 1; ++dx) {
            const int x = pixel % p.width + dx;
            const int y = pixel / p.width + dy;
            if (x < 0 || y < 0 || x >= p.width || y >= p.height) continue;
            const int next = y * p.width + x;
            if (p.mask[next] == 0 || seen[next]) continue;
            seen[next] = true;
            todo.push_back(next);
          }
        }
      }
    }
  }
  return regions;
}

inline std::vector<Scored> pixels(const std::vector<Picture>& pictures) {
  std::vector<Scored> all;
  for (const Picture& p : pictures) {
    for (size_t i = 0; i < p.map.size(); ++i) all.push_back({p.map[i], p.mask[i] != 0});
  }
  return all;
}

struct RatePoint {
  double rate;
  double overlap;
};

// Mean share of a region, and share of the normal pixels, for which `is_above(score)` holds.
template <typename Above>
RatePoint rate_point(const std::vector<Scored>& all, const std::vector<std::vector<double>>& regions,
                     Above is_above) {
  double normal = 0;
  double above = 0;
  for (const Scored& s : all) {
    if (s.is_anomalous) continue;
    normal += 1;
    above += is_above(s.score);
  }
  double overlap = 0;
  for (const auto& region : regions) {
    double covered = 0;
    for (const double score : region) covered += is_above(score);
    overlap += covered / static_cast<double>(region.size());
  }
  return {above / normal, overlap / static_cast<double>(regions.size())};
}

inline double aupro(const std::vector<Picture>& pictures, double limit) {
  const auto all = pixels(pictures);
  const auto found = regions(pictures);
  double area = 0;
  RatePoint before{0, 0};
  for (const double threshold : thresholds(all)) {
    RatePoint now = rate_point(all, found, [&](double score) { return score >= threshold; });
    if (now.rate > limit) {
      const double share = (limit - before.rate) / (now.rate - before.rate);
      now = {limit, before.overlap + share * (now.overlap - before.overlap)};
    }
    area += (now.rate - before.rate) * (now.overlap + before.overlap) / 2;
    before = now;
    if (before.rate >= limit) break;
  }
  return area / limit;
}

// The reference's 200 thresholds; nothing where it raises or gives NaN.
inline std::optional<double> aupro_200(const std::vector<Picture>& pictures, double limit) {
  const auto all = pixels(pictures);
  const auto found = regions(pictures);
  const auto values = thresholds(all);
  const double low = values.back();
  const double high = values.front();
  if (low == high || !std::isfinite(low) || !std::isfinite(high)) return std::nullopt;
  const double delta = (high - low) / 200;
  const double step = (low + delta) - low;
  std::vector<RatePoint> kept;
  for (int i = 0; i < static_cast<int>(std::ceil((high - low) / delta)); ++i) {
    const auto threshold = static_cast<float>(low + i * step);
    const RatePoint point = rate_point(all, found, [&](double score) { return score > threshold; });
    if (point.rate < limit) kept.push_back(point);
  }
  if (kept.size() < 2 || kept.front().rate == kept.back().rate) return std::nullopt;
  double area = 0;
  for (size_t i = 1; i < kept.size(); ++i) {
    area += (kept[i - 1].rate - kept[i].rate) * (kept[i - 1].overlap + kept[i].overlap) / 2;
  }
  return area / (kept.front().rate - kept.back().rate);
}

}  // namespace crane::metrics::judge
