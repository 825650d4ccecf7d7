#include "metrics/pixel_metrics.h"

#include <algorithm>
#include <cmath>

#include "metrics/parallel.h"
#include "metrics/pixel_walk.h"
#include "metrics/reference_aupro.h"
#include "metrics/summaries.h"

namespace crane::metrics {
namespace {

// Below this many normal pixels sorting them beats a table of 65,536 counters.
constexpr size_t k_few_normals = 2048;

class SortedNormals final : public NormalCursor {
 public:
  explicit SortedNormals(std::vector<uint16_t>& lows) : lows_(lows), left_(lows.size()) {
    std::sort(lows_.begin(), lows_.end());
  }
  uint64_t take_at_least(uint32_t low) override {
    const size_t before = left_;
    while (left_ > 0 && lows_[left_ - 1] >= low) --left_;
    return before - left_;
  }

 private:
  std::vector<uint16_t>& lows_;
  size_t left_;
};

class CountedNormals final : public NormalCursor {
 public:
  explicit CountedNormals(const BucketCounts<>& counts) : counts_(counts) {}
  uint64_t take_at_least(uint32_t low) override {
    if (low >= end_) return 0;
    const uint64_t taken = counts_.sum(low, end_);
    end_ = low;
    return taken;
  }

 private:
  const BucketCounts<>& counts_;
  uint32_t end_ = k_low_values;
};

struct ThreadScratch {
  BucketCounts<> counts;
  std::vector<uint16_t> lows;
  std::vector<AnomalousPixel> pixels;
  std::vector<AnomalousPixel> sort;
  std::vector<AnomalousScore> scores;
};

class ClassWalk {
 public:
  ClassWalk(const std::vector<std::unique_ptr<PixelShard>>& shards, FullBuckets& full,
            const EvaluateOptions& options)
      : shards_(shards), full_(full), options_(options), in_bucket_(k_buckets) {
    for (const auto& shard : shards_) {
      first_region_.push_back(weights_.size());
      weights_.insert(weights_.end(), shard->weights().begin(), shard->weights().end());
      range_.include(shard->range());
    }
    for (uint32_t bucket = 0; bucket < k_buckets; ++bucket)
      total_.counts += in_bucket_[bucket] = count(bucket);
    total_.regions = weights_.size();
  }

  const PixelTotals& total() const { return total_; }
  const ScoreRange& range() const { return range_; }

  // Sets the counts of all marks.
  PixelWalk run(Marks& marks, int threads);

 private:
  Counts count(uint32_t bucket) const;
  void walk(uint32_t bucket, Marks& marks, size_t first_mark, ThreadScratch& scratch, PixelWalk& piece);
  std::span<const AnomalousScore> scores_of(uint32_t bucket, ThreadScratch& scratch);
  PixelWalk start(const Counts& at) const {
    return PixelWalk(at, total_, options_.limits, options_.curve_points);
  }

  const std::vector<std::unique_ptr<PixelShard>>& shards_;
  FullBuckets& full_;
  const EvaluateOptions& options_;
  std::vector<Counts> in_bucket_;
  std::vector<Overlap> weights_;      // of all shards
  std::vector<size_t> first_region_;  // of each shard in weights_
  ScoreRange range_;
  PixelTotals total_;
};

Counts ClassWalk::count(uint32_t bucket) const {
  Counts counts{.anomalous = full_.anomalous_pixels(bucket)};
  if (const auto* normals = full_.normals(bucket)) counts.normal = normals->total();
  for (const auto& shard : shards_) {
    counts.normal += shard->normals(bucket).size();
    counts.anomalous += shard->anomalous(bucket).size();
    counts.overlap += shard->overlap(bucket);
  }
  return counts;
}

PixelWalk ClassWalk::run(Marks& marks, int threads) {
  // Buckets that need a walk of their own, from the highest down; the others only move the false positives
  // on.
  struct Piece {
    uint32_t bucket;
    size_t first_mark;
    Counts at;
  };
  std::vector<Piece> pieces;
  Counts at;
  size_t mark = 0;
  for (uint32_t bucket = k_buckets; bucket-- > 0;) {
    const size_t first_mark = mark;
    while (mark < marks.keys().size() && marks.keys()[mark] >> 16 == bucket) ++mark;
    if (in_bucket_[bucket].anomalous > 0 || mark > first_mark) pieces.push_back({bucket, first_mark, at});
    at += in_bucket_[bucket];
  }
  std::vector<PixelWalk> walks;
  walks.reserve(pieces.size());
  for (const Piece& piece : pieces) walks.push_back(start(piece.at));
  std::vector<ThreadScratch> scratch(static_cast<size_t>(std::max(threads, 1)));
  parallel_for(pieces.size(), threads, [&](size_t i, int thread) {
    walk(pieces[i].bucket, marks, pieces[i].first_mark, scratch[static_cast<size_t>(thread)], walks[i]);
  });
  PixelWalk whole = start(Counts{});
  size_t piece = 0;
  for (uint32_t bucket = k_buckets; bucket-- > 0;) {
    if (piece < pieces.size() && pieces[piece].bucket == bucket)
      whole.absorb(walks[piece++]);
    else
      whole.normals(in_bucket_[bucket].normal);
  }
  return whole;
}

std::span<const AnomalousScore> ClassWalk::scores_of(uint32_t bucket, ThreadScratch& scratch) {
  scratch.pixels.clear();
  for (size_t s = 0; s < shards_.size(); ++s) {
    for (const AnomalousPixel pixel : shards_[s]->anomalous(bucket)) {
      scratch.pixels.push_back(pixel + first_region_[s]);
    }
  }
  gather_scores(scratch.pixels, weights_, scratch.sort, scratch.scores);
  if (const auto& full = full_.anomalous(bucket); !full.empty()) {
    scratch.scores = merge_scores(scratch.scores, full);
  }
  return scratch.scores;
}

void ClassWalk::walk(uint32_t bucket, Marks& marks, size_t first_mark, ThreadScratch& scratch,
                     PixelWalk& piece) {
  const std::span<const AnomalousScore> scores = scores_of(bucket, scratch);
  BucketCounts<>* counts = full_.normals(bucket);
  if (counts == nullptr && in_bucket_[bucket].normal < k_few_normals) {
    scratch.lows.clear();
    for (const auto& shard : shards_) {
      const auto lows = shard->normals(bucket);
      scratch.lows.insert(scratch.lows.end(), lows.begin(), lows.end());
    }
    SortedNormals cursor(scratch.lows);
    walk_bucket(bucket, cursor, scores, marks, first_mark, piece);
  } else {
    if (counts == nullptr) {
      counts = &scratch.counts;
      counts->clear();
    }
    for (const auto& shard : shards_) counts->add(shard->normals(bucket));
    CountedNormals cursor(*counts);
    walk_bucket(bucket, cursor, scores, marks, first_mark, piece);
  }
  for (const auto& shard : shards_) shard->release(bucket);
  full_.release(bucket);
}

struct Questions {
  std::vector<Key> reference;  // AUPRO's thresholds, ascending
  std::vector<Key> all;
};

// lowest, highest: of the finite scores.
Questions questions_of(const ClassWalk& walk, const EvaluateOptions& options, double lowest, double highest) {
  Questions questions;
  const ScoreRange& range = walk.range();
  const bool is_finite = range.lowest == range.lowest_finite && range.highest == range.highest_finite;
  if (is_finite && range.lowest < range.highest) {
    questions.reference = reference_thresholds(static_cast<float>(lowest), static_cast<float>(highest));
  }
  questions.all = questions.reference;
  if (options.map_threshold) questions.all.push_back(lowest_key_at_least(*options.map_threshold));
  for (const double edge : inner_edges(lowest, highest, options.histogram_bins)) {
    questions.all.push_back(lowest_key_at_least(edge));
  }
  return questions;
}

double score_at(int32_t ordered) { return score_of(key_of_bits(ordered)); }

std::vector<ProAtLimit> aupro_of(const PixelWalk& walk, const ClassWalk& pixels, const Questions& questions,
                                 const Marks& marks, const EvaluateOptions& options) {
  const PixelTotals& total = pixels.total();
  std::vector<Counts> counts;
  for (const Key key : questions.reference) counts.push_back(marks.at_least(key));
  std::vector<ProAtLimit> results;
  for (size_t i = 0; i < options.limits.size(); ++i) {
    const double limit = options.limits[i];
    if (total.regions == 0 || total.counts.normal == 0) {
      const Metric none =
          Metric::missing(total.regions == 0 ? undefined::k_no_region : undefined::k_no_normal_pixel);
      results.push_back({limit, none, none});
      continue;
    }
    const ScoreRange& range = pixels.range();
    Metric reference;
    if (!questions.reference.empty())
      reference = reference_aupro(counts, total.counts, total.regions, limit);
    else
      reference = Metric::missing(range.lowest == range.highest ? undefined::k_constant_maps
                                                                : undefined::k_infinite_score);
    results.push_back({limit, Metric::of(walk.pro()[i].value(total.regions)), reference});
  }
  return results;
}

void take_curves(PixelWalk& walk, const ClassWalk& pixels, size_t points, PixelResult& result) {
  PixelCurves& curves = *walk.curves();
  const auto finish = [&](CurveSampler& sampler, bool has_origin) {
    sampler.close();
    Curve curve = sampler.take();
    if (has_origin) {
      curve.insert(curve.begin(), {0.0, 0.0, INFINITY});
      curve.push_back({1.0, 1.0, score_at(pixels.range().lowest)});
    }
    return thin_curve(curve, points);
  };
  result.ranking.roc = finish(curves.roc, true);
  result.ranking.precision_recall = finish(curves.precision_recall, false);
  result.pro = finish(curves.pro, true);
}

}  // namespace

PixelResult pixel_metrics(const std::vector<std::unique_ptr<PixelShard>>& shards, FullBuckets& full,
                          const EvaluateOptions& options, int threads) {
  ClassWalk pixels(shards, full, options);
  const PixelTotals& total = pixels.total();
  PixelResult result;
  Ranking& ranking = result.ranking;
  ranking.normal = total.counts.normal;
  ranking.anomalous = total.counts.anomalous;
  result.regions = total.regions;
  if (pixels.range().is_empty()) {
    const Metric none = Metric::missing(undefined::k_no_maps);
    ranking.auroc = ranking.average_precision = ranking.best_f1.f1 = none;
    for (const double limit : options.limits) result.aupro.push_back({limit, none, none});
    return result;
  }
  result.lowest = score_at(pixels.range().lowest);
  result.highest = score_at(pixels.range().highest);
  const bool has_finite = pixels.range().lowest_finite <= pixels.range().highest_finite;
  const double lowest = has_finite ? score_at(pixels.range().lowest_finite) : 0.0;
  const double highest = has_finite ? score_at(pixels.range().highest_finite) : 0.0;
  const Questions questions = questions_of(pixels, options, lowest, highest);
  Marks marks(questions.all);
  PixelWalk walk = pixels.run(marks, threads);

  result.aupro = aupro_of(walk, pixels, questions, marks, options);
  const auto at_least = [&](double threshold) { return marks.at_least(lowest_key_at_least(threshold)); };
  if (options.map_threshold) {
    ranking.confusion = confusion_at(*options.map_threshold, at_least(*options.map_threshold), total.counts);
  }
  if (options.histogram_bins > 0 && has_finite) {
    ranking.histogram = histogram_of(lowest, highest, options.histogram_bins, total.counts, at_least);
  }
  if (total.counts.normal == 0 || total.counts.anomalous == 0) {
    ranking.auroc = ranking.average_precision = ranking.best_f1.f1 = Metric::missing(undefined::k_one_label);
    return result;
  }
  ranking.auroc = Metric::of(walk.ranking().auroc());
  ranking.average_precision = Metric::of(walk.ranking().average_precision());
  ranking.best_f1 = walk.ranking().best_f1();
  if (options.curve_points > 0) take_curves(walk, pixels, options.curve_points, result);
  return result;
}

}  // namespace crane::metrics
