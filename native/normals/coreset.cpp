#include "normals/coreset.h"

#include <ATen/ops/maximum.h>
#include <ATen/ops/mv.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "core/error.h"
#include "normals/search.h"

namespace crane::normals {
namespace {

// Candidates that are compared with each choice at once; the others wait, since what is farthest is among
// these until one of them is nearer than any that waits. A matter of speed alone.
constexpr int64_t k_candidates = 512;
constexpr float k_taken = std::numeric_limits<float>::infinity();

// Cosine with the nearest chosen row, and which row it is of: the least is the next choice.
using Nearness = std::pair<float, int64_t>;

class FarthestFirst {
 public:
  explicit FarthestFirst(const at::Tensor& rows)
      : rows_(rows), near_(static_cast<size_t>(rows.size(0)), -k_taken) {}

  std::vector<int64_t> choose(int64_t count) {
    take(farthest_from_mean());
    while (static_cast<int64_t>(chosen_.size()) < count) {
      const auto least = std::ranges::min_element(pool_);
      if (least == pool_.end() || *least >= waiting_) {
        refill();
        continue;
      }
      take(least->second);
    }
    return chosen_;
  }

 private:
  int64_t farthest_from_mean() const {
    const at::Tensor values = rows_.to(at::kDouble);
    return at::mv(values, values.mean(/*dim=*/0)).argmin().item<int64_t>();
  }

  void take(int64_t row) {
    chosen_.push_back(row);
    pending_.push_back(row);
    near_[static_cast<size_t>(row)] = k_taken;
    if (pool_.empty()) return;
    const at::Tensor cosines = nearest_cosines(candidates_, rows_.slice(0, row, row + 1));
    const auto* cosine = cosines.const_data_ptr<float>();
    for (size_t i = 0; i < pool_.size(); ++i) {
      pool_[i].first = pool_[i].second == row ? k_taken : std::max(pool_[i].first, cosine[i]);
    }
  }

  // All rows against the choices that they were not compared with yet; the farthest become candidates.
  void refill() {
    const at::Tensor cosines = nearest_cosines(rows_, gathered(pending_));
    const auto* cosine = cosines.const_data_ptr<float>();
    pending_.clear();
    std::vector<Nearness> all;
    all.reserve(near_.size());
    for (size_t i = 0; i < near_.size(); ++i) {
      near_[i] = std::max(near_[i], cosine[i]);
      all.emplace_back(near_[i], static_cast<int64_t>(i));
    }
    const auto few = std::min<int64_t>(k_candidates, static_cast<int64_t>(all.size()));
    std::ranges::nth_element(all, all.begin() + (few - 1));
    waiting_ = few == static_cast<int64_t>(all.size())
                   ? Nearness{k_taken, std::numeric_limits<int64_t>::max()}
                   : *std::min_element(all.begin() + few, all.end());
    pool_.assign(all.begin(), all.begin() + few);
    std::vector<int64_t> which;
    for (const Nearness& one : pool_) which.push_back(one.second);
    candidates_ = gathered(which);
  }

  at::Tensor gathered(const std::vector<int64_t>& which) const {
    return rows_.index_select(0, at::tensor(which, at::kLong));
  }

  const at::Tensor rows_;
  std::vector<float> near_;  // of each row, with the choices that are not pending
  std::vector<int64_t> chosen_;
  std::vector<int64_t> pending_;
  std::vector<Nearness> pool_;      // with all choices
  at::Tensor candidates_;           // the rows of the pool
  Nearness waiting_{-k_taken, -1};  // no row outside of the pool is farther
};

}  // namespace

std::vector<int64_t> farthest_first(const at::Tensor& rows, int64_t count) {
  CRANE_CHECK_INVARIANT(
      rows.dim() == 2 && rows.is_cpu() && rows.is_contiguous() && rows.size(0) > 0 && count > 0, count,
      " of the rows ", rows.sizes());
  if (count >= rows.size(0)) {
    std::vector<int64_t> all(static_cast<size_t>(rows.size(0)));
    std::iota(all.begin(), all.end(), 0);
    return all;
  }
  return FarthestFirst(rows).choose(count);
}

}  // namespace crane::normals
