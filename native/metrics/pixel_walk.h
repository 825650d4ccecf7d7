// All sums over the pixels of one class that need the scores in order, from the highest to the lowest.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "metrics/anomalous_scores.h"
#include "metrics/curve.h"
#include "metrics/marks.h"
#include "metrics/pro_integral.h"
#include "metrics/ranking_sums.h"

namespace crane::metrics {

struct PixelTotals {
  Counts counts;
  uint64_t regions = 0;
};

struct PixelCurves {
  CurveSampler roc;
  CurveSampler precision_recall;
  CurveSampler pro;
};

// One class is walked in pieces, one bucket of scores each, by several threads: a piece starts from the
// counts above it, which are known beforehand, and the pieces are absorbed from the highest down. The result
// therefore does not depend on the number of threads, bit for bit.
class PixelWalk {
 public:
  PixelWalk(const Counts& at, const PixelTotals& total, std::span<const double> limits, size_t curve_points);

  void normals(uint64_t count);
  void score(Key key, const Counts& here);
  void absorb(PixelWalk& next);

  const Counts& at() const { return ranking_.at(); }
  const RankingSums& ranking() const { return ranking_; }
  const std::vector<ProIntegral>& pro() const { return pro_; }
  std::optional<PixelCurves>& curves() { return curves_; }

 private:
  void visit(double threshold);

  const PixelTotals* total_;
  RankingSums ranking_;
  std::vector<ProIntegral> pro_;
  std::optional<PixelCurves> curves_;
};

// Normal pixels of one bucket, taken from the highest score down.
class NormalCursor {
 public:
  virtual ~NormalCursor() = default;
  // How many not yet taken have at least this lower half of the key (0 to 65536); they are taken.
  virtual uint64_t take_at_least(uint32_t low) = 0;
};

// Walks one bucket: `scores` ascending, and the marks first_mark.. of the bucket, whose counts are set.
void walk_bucket(uint32_t bucket, NormalCursor& normals, std::span<const AnomalousScore> scores, Marks& marks,
                 size_t first_mark, PixelWalk& walk);

}  // namespace crane::metrics
