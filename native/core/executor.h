// Threads that work on what callers enqueue, in order. All work on libtorch runs on one such thread per process,
// because OpenMP teams belong to the calling thread and two callers would fight for the cores.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace crane {

class Executor {
 public:
  explicit Executor(int threads);
  // Never destroyed in practice: see the two instances below.
  ~Executor();

  // The task must not throw. Thread-safe.
  void post(std::function<void()> task);

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

// The one thread that touches libtorch. Lives until the process ends; whoever posts waits for its own tasks
// before the environment is torn down.
Executor& compute_thread();
// For decoding, resizing, reading and writing files: never libtorch.
Executor& io_threads();

}  // namespace crane
