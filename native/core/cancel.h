// Set from any thread; work looks at it between pictures and gives up with E_CANCELLED.
#pragma once

#include <atomic>
#include <memory>

#include "core/error.h"

namespace crane {

class CancelToken {
 public:
  void cancel() noexcept { cancelled_.store(true, std::memory_order_relaxed); }
  bool is_cancelled() const noexcept { return cancelled_.load(std::memory_order_relaxed); }
  void check() const {
    if (is_cancelled()) throw Error("E_CANCELLED", "the work was cancelled");
  }

 private:
  std::atomic<bool> cancelled_{false};
};

}  // namespace crane
