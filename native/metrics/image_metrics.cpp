#include "metrics/image_metrics.h"

#include <algorithm>
#include <cmath>

#include "metrics/ranking_sums.h"
#include "metrics/summaries.h"

namespace crane::metrics {
namespace {

double share(uint64_t part, uint64_t whole) { return static_cast<double>(part) / static_cast<double>(whole); }

void add_summaries(const std::vector<ImageScore>& descending, const Counts& total,
                   const EvaluateOptions& options, Ranking& result) {
  const auto at_least = [&](double threshold) {
    Counts counts;
    for (const ImageScore& image : descending) {
      if (image.score < threshold) break;
      ++(image.is_anomalous ? counts.anomalous : counts.normal);
    }
    return counts;
  };
  if (options.threshold)
    result.confusion = confusion_at(*options.threshold, at_least(*options.threshold), total);
  if (options.histogram_bins == 0) return;
  double lowest = INFINITY;
  double highest = -INFINITY;
  for (const ImageScore& image : descending) {
    if (!std::isfinite(image.score)) continue;
    lowest = std::min(lowest, image.score);
    highest = std::max(highest, image.score);
  }
  if (lowest <= highest) {
    result.histogram = histogram_of(lowest, highest, options.histogram_bins, total, at_least);
  }
}

}  // namespace

Ranking image_metrics(std::vector<ImageScore> scores, const EvaluateOptions& options) {
  std::sort(scores.begin(), scores.end(),
            [](const ImageScore& a, const ImageScore& b) { return a.score > b.score; });
  Counts total;
  for (const ImageScore& image : scores) ++(image.is_anomalous ? total.anomalous : total.normal);
  Ranking result;
  result.normal = total.normal;
  result.anomalous = total.anomalous;
  if (!scores.empty()) add_summaries(scores, total, options, result);
  if (total.normal == 0 || total.anomalous == 0) {
    const std::string_view reason = scores.empty() ? undefined::k_no_scores : undefined::k_one_label;
    result.auroc = result.average_precision = result.best_f1.f1 = Metric::missing(reason);
    return result;
  }
  RankingSums sums(Counts{}, total.anomalous);
  Curve roc = {{0.0, 0.0, INFINITY}};
  Curve precision_recall;
  for (size_t i = 0; i < scores.size();) {
    const double score = scores[i].score;
    Counts here;
    for (; i < scores.size() && scores[i].score == score; ++i) {
      ++(scores[i].is_anomalous ? here.anomalous : here.normal);
    }
    if (here.anomalous == 0)
      sums.normals(here.normal);
    else
      sums.score(score, here);
    const Counts& at = sums.at();
    roc.push_back({share(at.normal, total.normal), share(at.anomalous, total.anomalous), score});
    precision_recall.push_back(
        {share(at.anomalous, total.anomalous), share(at.anomalous, at.anomalous + at.normal), score});
  }
  result.auroc = Metric::of(sums.auroc());
  result.average_precision = Metric::of(sums.average_precision());
  result.best_f1 = sums.best_f1();
  if (options.curve_points > 0) {
    result.roc = thin_curve(roc, options.curve_points);
    result.precision_recall = thin_curve(precision_recall, options.curve_points);
  }
  return result;
}

}  // namespace crane::metrics
