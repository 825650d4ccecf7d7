// Set from any thread; work looks at it between pictures and gives up with E_CANCELLED.
#pragma once

#include <atomic>
#include <memory>

#include "core/error.h"

namespace crane {

// The process is ending: long work stops at its next step, whoever asked for it.
inline std::atomic<bool>& shutdown_flag() {
  static std::atomic<bool> flag{false};
  return flag;
}
inline void request_shutdown() { shutdown_flag().store(true, std::memory_order_relaxed); }
inline void check_shutdown() {
  if (shutdown_flag().load(std::memory_order_relaxed)) throw Error("E_CANCELLED", "the process is ending");
}

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
