#include "metrics/pixel_shard.h"

#include <algorithm>

#include "core/error.h"

namespace crane::metrics {

void FullBuckets::add_normals(uint32_t bucket, std::span<const uint16_t> lows) {
  const std::lock_guard lock(mutex_of(bucket));
  auto& counts = normals_[bucket];
  if (!counts) counts = std::make_unique<BucketCounts<>>();
  counts->add(lows);
}

void FullBuckets::add_anomalous(uint32_t bucket, std::span<const AnomalousScore> scores) {
  const std::lock_guard lock(mutex_of(bucket));
  anomalous_[bucket] = merge_scores(anomalous_[bucket], scores);
}

uint64_t FullBuckets::anomalous_pixels(uint32_t bucket) const {
  uint64_t sum = 0;
  for (const AnomalousScore& score : anomalous_[bucket]) sum += score.pixels;
  return sum;
}

void FullBuckets::release(uint32_t bucket) {
  normals_[bucket] = nullptr;
  anomalous_[bucket] = {};
}

void ScoreRange::include(const ScoreRange& other) {
  lowest = std::min(lowest, other.lowest);
  highest = std::max(highest, other.highest);
  lowest_finite = std::min(lowest_finite, other.lowest_finite);
  highest_finite = std::max(highest_finite, other.highest_finite);
}

bool find_range(const float* scores, size_t count, ScoreRange& range) {
  constexpr int32_t k_infinity = 0x7f800000;
  const int32_t minus_infinity = ordered_bits(-std::numeric_limits<float>::infinity());
  // NaN lies outside the infinities, on either side.
  int32_t lowest = INT32_MAX;
  int32_t highest = INT32_MIN;
  for (size_t i = 0; i < count; ++i) {
    const int32_t score = ordered_bits(scores[i]);
    lowest = std::min(lowest, score);
    highest = std::max(highest, score);
  }
  if (count > 0 && (lowest < minus_infinity || highest > k_infinity)) return false;
  ScoreRange found{lowest, highest, lowest, highest};
  if (lowest == minus_infinity || highest == k_infinity) {
    found.lowest_finite = INT32_MAX;
    found.highest_finite = INT32_MIN;
    for (size_t i = 0; i < count; ++i) {
      const int32_t score = ordered_bits(scores[i]);
      if (score == minus_infinity || score == k_infinity) continue;
      found.lowest_finite = std::min(found.lowest_finite, score);
      found.highest_finite = std::max(found.highest_finite, score);
    }
  }
  range.include(found);
  return true;
}

void PixelShard::add(const float* map, int64_t count, const MaskRegions& mask, const ScoreRange& range) {
  check_input(weights_.size() + mask.areas.size() <= UINT32_MAX, "E_MEMORY",
              "more than 2^32 regions in one class");
  const auto first_region = static_cast<uint32_t>(weights_.size());
  for (const uint64_t area : mask.areas) weights_.push_back(overlap_of_pixel(area));
  range_.include(range);
  int64_t begin = 0;
  for (const MaskRun& run : mask.runs) {
    add_normals(map + begin, run.begin - begin);
    add_anomalous(map + run.begin, run.end - run.begin, first_region + run.region);
    begin = run.end;
  }
  add_normals(map + begin, count - begin);
}

void PixelShard::add_normals(const float* scores, int64_t count) {
  const auto drain = [this](uint32_t bucket, std::span<const uint16_t> lows) {
    full_.add_normals(bucket, lows);
  };
  for (int64_t i = 0; i < count; ++i) {
    const Key key = key_of(scores[i]);
    normals_.append(key >> 16, static_cast<uint16_t>(key), drain);
  }
}

void PixelShard::add_anomalous(const float* scores, int64_t count, uint32_t region) {
  const auto drain = [this](uint32_t bucket, std::span<AnomalousPixel> pixels) {
    gather_scores(pixels, weights_, sort_scratch_, gathered_);
    full_.add_anomalous(bucket, gathered_);
  };
  const Overlap weight = weights_[region];
  for (int64_t i = 0; i < count; ++i) {
    const Key key = key_of(scores[i]);
    overlap_[key >> 16] += weight;
    anomalous_.append(key >> 16, anomalous_pixel(static_cast<uint16_t>(key), region), drain);
  }
}

void PixelShard::release(uint32_t bucket) {
  normals_.release(bucket);
  anomalous_.release(bucket);
}

}  // namespace crane::metrics
