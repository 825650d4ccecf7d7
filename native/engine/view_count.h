// How far a call of Engine::score is. Any thread may read and add.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

namespace crane {

class ScoreJob;

class ViewCount {
 public:
  void add(int64_t views) noexcept { done_.fetch_add(views, std::memory_order_relaxed); }
  // Views that have been through the model: the job's first ones, since they are taken in their order.
  int64_t done() const noexcept { return done_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> done_{0};
};

// Outlives the job.
std::shared_ptr<const ViewCount> views_of(const ScoreJob& job);

}  // namespace crane
