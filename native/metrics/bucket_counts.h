// How often each of the 65,536 scores of one bucket occurs among the normal pixels.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "metrics/bucket_lists.h"

namespace crane::metrics {

// A narrow counter keeps the table in the second-level cache; the rare wrap is noted beside it.
template <typename Counter = uint32_t>
class BucketCounts {
 public:
  void add(std::span<const uint16_t> lows) {
    for (const uint16_t low : lows) {
      if (++counts_[low] == 0) [[unlikely]]
        ++wraps_[low];
    }
    total_ += lows.size();
  }

  // Number of scores whose lower half is in [begin, end).
  uint64_t sum(uint32_t begin, uint32_t end) const {
    uint64_t sum = 0;
    for (uint32_t low = begin; low < end; ++low) sum += counts_[low];
    if (!wraps_.empty()) {
      for (auto it = wraps_.lower_bound(begin); it != wraps_.end() && it->first < end; ++it) {
        sum += it->second * k_wrap;
      }
    }
    return sum;
  }

  uint64_t total() const { return total_; }

  void clear() {
    std::fill(counts_.begin(), counts_.end(), Counter{0});
    wraps_.clear();
    total_ = 0;
  }

 private:
  static constexpr uint64_t k_wrap = uint64_t{1} << (8 * sizeof(Counter));
  std::vector<Counter> counts_ = std::vector<Counter>(k_low_values);
  std::map<uint32_t, uint64_t> wraps_;
  uint64_t total_ = 0;
};

}  // namespace crane::metrics
