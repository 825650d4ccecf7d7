#include "metrics/pixel_walk.h"

#include <cmath>

namespace crane::metrics {
namespace {

// Points are sampled this much denser than wanted, then thinned by their effect on the area.
constexpr double k_oversampling = 8.0;

double ratio(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

PixelWalk::PixelWalk(const Counts& at, const PixelTotals& total, std::span<const double> limits,
                     size_t curve_points)
    : total_(&total), ranking_(at, total.counts.anomalous) {
  for (const double limit : limits) pro_.emplace_back(limit, total.counts.normal);
  if (curve_points > 0) {
    const CurveSampler sampler(1.0 / (k_oversampling * static_cast<double>(curve_points)));
    curves_.emplace(PixelCurves{sampler, sampler, sampler});
  }
}

void PixelWalk::normals(uint64_t count) {
  if (count == 0) return;
  for (ProIntegral& integral : pro_) integral.segment(at(), {.normal = count});
  ranking_.normals(count);
}

void PixelWalk::score(Key key, const Counts& here) {
  // The corner before this score: everything just above it is called anomalous.
  if (curves_ && at().normal + at().anomalous > 0) visit(score_of(key + 1));
  for (ProIntegral& integral : pro_) integral.segment(at(), here);
  ranking_.score(score_of(key), here);
  if (curves_) visit(score_of(key));
}

void PixelWalk::visit(double threshold) {
  const Counts& all = total_->counts;
  const double false_positive_rate = ratio(at().normal, all.normal);
  const double recall = ratio(at().anomalous, all.anomalous);
  const double overlap = total_->regions == 0 ? 0.0 : regions_covered(at().overlap) / total_->regions;
  curves_->roc.visit({false_positive_rate, recall, threshold});
  curves_->precision_recall.visit({recall, ratio(at().anomalous, at().anomalous + at().normal), threshold});
  curves_->pro.visit({false_positive_rate, overlap, threshold});
}

void PixelWalk::absorb(PixelWalk& next) {
  ranking_.absorb(next.ranking_);
  for (size_t i = 0; i < pro_.size(); ++i) pro_[i].absorb(next.pro_[i]);
  if (!curves_) return;
  curves_->roc.absorb(next.curves_->roc);
  curves_->precision_recall.absorb(next.curves_->precision_recall);
  curves_->pro.absorb(next.curves_->pro);
}

void walk_bucket(uint32_t bucket, NormalCursor& normals, std::span<const AnomalousScore> scores, Marks& marks,
                 size_t first_mark, PixelWalk& walk) {
  const Key base = bucket << 16;
  size_t mark = first_mark;
  const auto has_mark = [&] { return mark < marks.keys().size() && marks.keys()[mark] >= base; };
  for (size_t left = scores.size(); left > 0 || has_mark();) {
    // At the same key the score comes first: a mark counts what is at or above it.
    if (left > 0 && (!has_mark() || marks.keys()[mark] <= base + scores[left - 1].low)) {
      const AnomalousScore& score = scores[--left];
      walk.normals(normals.take_at_least(score.low + 1));
      walk.score(
          base + score.low,
          {.anomalous = score.pixels, .normal = normals.take_at_least(score.low), .overlap = score.overlap});
    } else {
      walk.normals(normals.take_at_least(marks.keys()[mark] - base));
      marks.set(mark++, walk.at());
    }
  }
  walk.normals(normals.take_at_least(0));
}

}  // namespace crane::metrics
