#include "metrics/curve.h"

#include <cmath>
#include <cstdint>
#include <queue>
#include <utility>

namespace crane::metrics {

void CurveSampler::visit(const CurvePoint& point) {
  if (points_.empty() && !has_skipped_) {
    points_.push_back(point);
    last_ = point;
    return;
  }
  const double jump = std::abs(point.x - last_.x) + std::abs(point.y - last_.y);
  moved_ += jump;
  if (jump >= step_ && has_skipped_) points_.push_back(last_);
  has_skipped_ = moved_ < step_;
  if (!has_skipped_) {
    points_.push_back(point);
    moved_ = 0.0;
  }
  last_ = point;
}

void CurveSampler::close() {
  if (has_skipped_) points_.push_back(last_);
  has_skipped_ = false;
  moved_ = 0.0;
}

void CurveSampler::absorb(CurveSampler& next) {
  next.close();
  if (next.points_.empty()) return;
  close();
  points_.insert(points_.end(), next.points_.begin(), next.points_.end());
  last_ = points_.back();
}

Curve thin_curve(const Curve& curve, size_t most) {
  if (curve.size() <= most || curve.size() <= 2) return curve;
  struct Candidate {
    double area;
    size_t index;
    uint32_t version;
    bool operator<(const Candidate& other) const {
      return area != other.area ? area > other.area : index > other.index;
    }
  };
  std::vector<size_t> before(curve.size());
  std::vector<size_t> after(curve.size());
  std::vector<uint32_t> versions(curve.size(), 0);
  std::priority_queue<Candidate> candidates;
  const auto consider = [&](size_t i) {
    const CurvePoint& a = curve[before[i]];
    const CurvePoint& b = curve[i];
    const CurvePoint& c = curve[after[i]];
    const double area = 0.5 * std::abs((b.x - a.x) * (c.y - a.y) - (c.x - a.x) * (b.y - a.y));
    candidates.push({area, i, ++versions[i]});
  };
  for (size_t i = 0; i < curve.size(); ++i) {
    before[i] = i == 0 ? 0 : i - 1;
    after[i] = i + 1;
  }
  for (size_t i = 1; i + 1 < curve.size(); ++i) consider(i);
  std::vector<bool> removed(curve.size(), false);
  for (size_t left = curve.size(); left > most && !candidates.empty();) {
    const Candidate smallest = candidates.top();
    candidates.pop();
    if (removed[smallest.index] || smallest.version != versions[smallest.index]) continue;
    removed[smallest.index] = true;
    --left;
    const size_t a = before[smallest.index];
    const size_t c = after[smallest.index];
    after[a] = c;
    before[c] = a;
    if (a > 0) consider(a);
    if (c + 1 < curve.size()) consider(c);
  }
  Curve thinned;
  for (size_t i = 0; i < curve.size(); ++i) {
    if (!removed[i]) thinned.push_back(curve[i]);
  }
  return thinned;
}

}  // namespace crane::metrics
