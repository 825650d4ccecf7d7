// Pictures side by side: each compute thread does passes of its own, instead of all threads a part of every
// pass. Nobody then waits for a thread that another program keeps from its processor. Each lane holds the
// memory of a pass, and a pass alone takes the time of one thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>

namespace crane {

class Lanes : public std::enable_shared_from_this<Lanes> {
 public:
  explicit Lanes(int threads) : threads_(threads) {}

  // In the order in which they came, as many at once as there are threads. Inside a job libtorch and our
  // kernels use the one thread that runs it. The job must not throw. Thread-safe. Other work of the compute
  // thread is let in as soon as the passes that run have ended. Errors: bad_alloc; the job will not run then.
  void post(std::function<void()> job);

 private:
  // On the compute thread: opens the lanes until nothing waits.
  void drain();
  // One lane. Ends when no job can come any more from those that run.
  void work();

  const int threads_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;
  int running_ = 0;
  bool is_draining_ = false;  // or will be
};

}  // namespace crane
