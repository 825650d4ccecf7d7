// Scores at which somebody wants to know the counts: thresholds, edges of histograms, the 200 thresholds of
// AUPRO.
#pragma once

#include <algorithm>
#include <functional>
#include <span>
#include <vector>

#include "core/error.h"
#include "metrics/counts.h"
#include "metrics/score_key.h"

namespace crane::metrics {

class Marks {
 public:
  explicit Marks(std::vector<Key> keys) : keys_(std::move(keys)) {
    std::sort(keys_.begin(), keys_.end(), std::greater<>());
    keys_.erase(std::unique(keys_.begin(), keys_.end()), keys_.end());
    counts_.resize(keys_.size());
  }

  // Descending, each once.
  std::span<const Key> keys() const { return keys_; }
  // Different marks may be set from different threads.
  void set(size_t index, const Counts& counts) { counts_[index] = counts; }

  // Counts of the scores with this key or a higher one; the key must be a mark.
  const Counts& at_least(Key key) const {
    const auto found = std::lower_bound(keys_.begin(), keys_.end(), key, std::greater<>());
    CRANE_CHECK_INVARIANT(found != keys_.end() && *found == key, "no mark at key ", key);
    return counts_[static_cast<size_t>(found - keys_.begin())];
  }

 private:
  std::vector<Key> keys_;
  std::vector<Counts> counts_;
};

}  // namespace crane::metrics
