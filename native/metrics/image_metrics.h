// Metrics over the scores of whole pictures.
#pragma once

#include <vector>

#include "metrics/result.h"

namespace crane::metrics {

struct ImageScore {
  double score;  // not NaN
  bool is_anomalous;
};

Ranking image_metrics(std::vector<ImageScore> scores, const EvaluateOptions& options);

}  // namespace crane::metrics
