// ROC, precision-recall and per-region overlap curves with few points, for drawing.
#pragma once

#include <cstddef>
#include <vector>

#include "metrics/counts.h"

namespace crane::metrics {

// x and y when everything at or above `threshold` is called anomalous.
struct CurvePoint {
  double x;
  double y;
  double threshold;
};

using Curve = std::vector<CurvePoint>;

// Keeps a point whenever the curve has moved far enough, and the corner before every far jump: what is left
// out lies within a small step of what is kept.
class CurveSampler {
 public:
  explicit CurveSampler(double step) : step_(step) {}
  void visit(const CurvePoint& point);
  // The last point visited is kept too.
  void close();
  // A curve that goes on where this one ends.
  void absorb(CurveSampler& next);
  Curve take() { return std::move(points_); }

 private:
  double step_;
  double moved_ = 0.0;
  bool has_skipped_ = false;
  CurvePoint last_{};
  Curve points_;
};

// At most `most` (at least 2) points of the curve, ends included. Removes the point that spans the smallest
// triangle with its neighbours, again and again (Visvalingam and Whyatt): the area under the curve barely
// changes.
Curve thin_curve(const Curve& curve, size_t most);

}  // namespace crane::metrics
