#include "metrics/summaries.h"

namespace crane::metrics {

Confusion confusion_at(double threshold, const Counts& positive, const Counts& total) {
  Confusion result{.threshold = threshold,
                   .true_positives = positive.anomalous,
                   .false_positives = positive.normal,
                   .false_negatives = total.anomalous - positive.anomalous,
                   .true_negatives = total.normal - positive.normal,
                   .precision = Metric::missing(undefined::k_none_predicted),
                   .recall = Metric::missing(undefined::k_none_anomalous),
                   .f1 = Metric::missing(undefined::k_none_anomalous)};
  const auto found = static_cast<double>(positive.anomalous);
  const uint64_t predicted = positive.anomalous + positive.normal;
  if (predicted > 0) result.precision = Metric::of(found / static_cast<double>(predicted));
  if (total.anomalous > 0) {
    result.recall = Metric::of(found / static_cast<double>(total.anomalous));
    result.f1 = Metric::of(2.0 * found / static_cast<double>(predicted + total.anomalous));
  }
  return result;
}

std::vector<double> inner_edges(double lowest, double highest, size_t bins) {
  std::vector<double> edges;
  if (!(lowest < highest)) return edges;
  // Scaled before the subtraction: highest - lowest may exceed the largest double.
  for (size_t i = 1; i < bins; ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(bins);
    edges.push_back(lowest * (1.0 - share) + highest * share);
  }
  return edges;
}

Histogram histogram_of(double lowest, double highest, size_t bins, const Counts& total,
                       const CountsAtLeast& at_least) {
  Histogram histogram{lowest, highest, {}, {}};
  Counts from_edge = total;  // counts at or above the lower edge of the current bin
  const auto push = [&](const Counts& above) {
    histogram.normal.push_back(from_edge.normal - above.normal);
    histogram.anomalous.push_back(from_edge.anomalous - above.anomalous);
    from_edge = above;
  };
  for (const double edge : inner_edges(lowest, highest, bins)) push(at_least(edge));
  push(Counts{});
  return histogram;
}

}  // namespace crane::metrics
