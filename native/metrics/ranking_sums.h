// AUROC, average precision and best F1 of one class, from one walk down the distinct scores. Header only: it
// runs once per distinct anomalous score. Scores between two anomalous ones need no order among themselves,
// only a number.
#pragma once

#include <cstdint>

#include "metrics/compensated_sum.h"
#include "metrics/counts.h"
#include "metrics/metric.h"

namespace crane::metrics {

class RankingSums {
 public:
  // `at`: what lies above the first score of this walk. anomalous_in_all: of the whole class.
  RankingSums(const Counts& at, uint64_t anomalous_in_all) : at_(at), anomalous_in_all_(anomalous_in_all) {}

  // Normal ones below everything seen so far.
  void normals(uint64_t count) {
    twice_won_ += Wide{2} * count * at_.anomalous;
    at_.normal += count;
  }

  // All of one score, at least one anomalous among them. A tie between anomalous and normal wins half.
  void score(double score, const Counts& here) {
    twice_won_ += Wide{here.normal} * (2 * at_.anomalous + here.anomalous);
    at_ += here;
    const auto found = static_cast<double>(at_.anomalous);
    precision_.add(static_cast<double>(here.anomalous) *
                   (found / static_cast<double>(at_.anomalous + at_.normal)));
    // F1 = 2 TP / (TP + FP + P), compared as fractions
    const uint64_t size = at_.anomalous + at_.normal + anomalous_in_all_;
    if (Wide{at_.anomalous} * best_size_ > Wide{best_found_} * size) {
      best_found_ = at_.anomalous;
      best_size_ = size;
      best_score_ = score;
    }
  }

  // The continuation of this walk, begun where this one ends.
  void absorb(const RankingSums& next) {
    twice_won_ += next.twice_won_;
    precision_.add(next.precision_);
    at_ = next.at_;
    if (Wide{next.best_found_} * best_size_ > Wide{best_found_} * next.best_size_) {
      best_found_ = next.best_found_;
      best_size_ = next.best_size_;
      best_score_ = next.best_score_;
    }
  }

  const Counts& at() const { return at_; }

  // After the whole walk, where both labels occur.
  double auroc() const {
    return to_double(twice_won_) /
           (2.0 * static_cast<double>(at_.anomalous) * static_cast<double>(at_.normal));
  }
  double average_precision() const { return precision_.value() / static_cast<double>(at_.anomalous); }
  BestF1 best_f1() const {
    const auto found = static_cast<double>(best_found_);
    return {.f1 = Metric::of(2.0 * found / static_cast<double>(best_size_)),
            .threshold = best_score_,
            .precision = found / static_cast<double>(best_size_ - anomalous_in_all_),
            .recall = found / static_cast<double>(anomalous_in_all_)};
  }

 private:
  Counts at_;
  uint64_t anomalous_in_all_;
  Wide twice_won_ = 0;  // pairs (anomalous, normal) that the anomalous one wins, times two
  CompensatedSum precision_;
  uint64_t best_found_ = 0;
  uint64_t best_size_ = 1;
  double best_score_ = 0.0;
};

}  // namespace crane::metrics
