#include "engine/lanes.h"

#include <ATen/Parallel.h>

#include <utility>

#include "core/executor.h"
#include "tensors/team.h"

namespace crane {

void Lanes::post(std::function<void()> job) {
  const std::lock_guard lock(mutex_);
  jobs_.push_back(std::move(job));
  if (!is_draining_) {
    try {
      compute_thread().post([self = shared_from_this()] { self->drain(); });
    } catch (...) {
      jobs_.pop_back();
      throw;
    }
    is_draining_ = true;
  }
  changed_.notify_one();
}

void Lanes::drain() {
  for (;;) {
    // Of whichever engine worked before; inside a lane nobody may change it.
    if (at::get_num_threads() != threads_) at::set_num_threads(threads_);
    try {
      run_on_team(threads_, [this](int64_t first, int64_t last) {
        for (int64_t lane = first; lane < last; ++lane) work();
      });
    } catch (...) {
      // The team had no memory: one after the other.
      work();
    }
    const std::lock_guard lock(mutex_);
    if (jobs_.empty()) {
      is_draining_ = false;
      return;
    }
    try {
      compute_thread().post([self = shared_from_this()] { self->drain(); });
      return;
    } catch (...) {
      // No memory to queue behind the others: they wait a little longer.
    }
  }
}

void Lanes::work() {
  std::unique_lock lock(mutex_);
  for (bool is_first = true;; is_first = false) {
    // Whoever queued before this drain has had his turn, so one job at least is done.
    if (jobs_.empty() ? running_ == 0 : !is_first && compute_thread().is_wanted()) break;
    if (jobs_.empty()) {
      changed_.wait(lock);
      continue;
    }
    std::function<void()> job = std::move(jobs_.front());
    jobs_.pop_front();
    ++running_;
    lock.unlock();
    job();
    job = nullptr;
    lock.lock();
    --running_;
  }
  changed_.notify_all();
}

}  // namespace crane
