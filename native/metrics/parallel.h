// The same work for many indices, on several threads that live as long as the call.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "core/cancel.h"

namespace crane::metrics {

// work(index, thread) for 0 <= index < count, in rising order of their beginning; `thread` is below
// `threads`, of which the system may start fewer. The first exception ends the rest and is thrown again here.
// Gives up with E_CANCELLED when the process ends.
template <typename Work>
void parallel_for(size_t count, int threads, Work work) {
  std::atomic<size_t> next{0};
  std::exception_ptr failure;
  std::mutex mutex;
  const auto run = [&](int thread) {
    try {
      for (size_t i = next++; i < count; i = next++) {
        check_shutdown();
        work(i, thread);
      }
    } catch (...) {
      next = count;
      const std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
    }
  };
  std::vector<std::jthread> others;
  const auto useful = static_cast<int>(std::min<size_t>(count, static_cast<size_t>(std::max(threads, 1))));
  for (int thread = 1; thread < useful; ++thread) {
    try {
      others.emplace_back(run, thread);
    } catch (const std::exception&) {
      break;  // fewer do the same work, and those that run may be in the middle of it
    }
  }
  run(0);
  others.clear();  // joins
  if (failure) std::rethrow_exception(failure);
}

}  // namespace crane::metrics
