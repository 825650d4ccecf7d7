// Pixels of one class as one thread adds them.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "metrics/anomalous_scores.h"
#include "metrics/bucket_counts.h"
#include "metrics/bucket_lists.h"
#include "metrics/mask_regions.h"
#include "metrics/score_key.h"

namespace crane::metrics {

// Where full lists of all threads go: per bucket a number for each of its 65,536 scores, which grows no more
// however many pictures follow. Thread-safe per bucket.
class FullBuckets {
 public:
  FullBuckets() : normals_(k_buckets), anomalous_(k_buckets) {}

  void add_normals(uint32_t bucket, std::span<const uint16_t> lows);
  void add_anomalous(uint32_t bucket, std::span<const AnomalousScore> scores);

  // Only while nobody adds.
  const BucketCounts<>* normals(uint32_t bucket) const { return normals_[bucket].get(); }
  BucketCounts<>* normals(uint32_t bucket) { return normals_[bucket].get(); }
  const std::vector<AnomalousScore>& anomalous(uint32_t bucket) const { return anomalous_[bucket]; }
  uint64_t anomalous_pixels(uint32_t bucket) const;
  void release(uint32_t bucket);

 private:
  std::mutex& mutex_of(uint32_t bucket) { return mutexes_[bucket % mutexes_.size()]; }

  std::vector<std::unique_ptr<BucketCounts<>>> normals_;
  std::vector<std::vector<AnomalousScore>> anomalous_;  // ascending
  std::array<std::mutex, 64> mutexes_;
};

// The ordered bits (score_key.h) of the lowest and highest score, with and without infinities.
struct ScoreRange {
  int32_t lowest = INT32_MAX;
  int32_t highest = INT32_MIN;
  int32_t lowest_finite = INT32_MAX;
  int32_t highest_finite = INT32_MIN;

  void include(const ScoreRange& other);
  bool is_empty() const { return lowest > highest; }
};

// scores: [count]. Returns false and leaves the range alone where one of them is NaN.
bool find_range(const float* scores, size_t count, ScoreRange& range);

class PixelShard {
 public:
  explicit PixelShard(FullBuckets& full) : full_(full), overlap_(k_buckets) {}

  // map: [count] flat, without NaN; regions of its mask.
  void add(const float* map, int64_t count, const MaskRegions& mask, const ScoreRange& range);

  std::span<uint16_t> normals(uint32_t bucket) const { return normals_.values(bucket); }
  std::span<AnomalousPixel> anomalous(uint32_t bucket) const { return anomalous_.values(bucket); }
  // Of everything this shard ever put into the bucket.
  Overlap overlap(uint32_t bucket) const { return overlap_[bucket]; }
  // Overlap of one pixel, per region of this shard.
  const std::vector<Overlap>& weights() const { return weights_; }
  const ScoreRange& range() const { return range_; }
  void release(uint32_t bucket);

 private:
  void add_normals(const float* scores, int64_t count);
  void add_anomalous(const float* scores, int64_t count, uint32_t region);

  FullBuckets& full_;
  BucketLists<uint16_t> normals_;
  BucketLists<AnomalousPixel> anomalous_;
  std::vector<Overlap> overlap_;
  std::vector<Overlap> weights_;
  ScoreRange range_;
  std::vector<AnomalousPixel> sort_scratch_;
  std::vector<AnomalousScore> gathered_;
};

}  // namespace crane::metrics
