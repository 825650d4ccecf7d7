// Threads that work on what callers enqueue, in order. All work on libtorch runs on one such thread per
// process, because OpenMP teams belong to the calling thread and two callers would fight for the cores.
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
  // Fewer threads where the system starts no more. Errors: E_MEMORY when it starts none.
  explicit Executor(int threads);
  // Never destroyed in practice: see the instances below.
  ~Executor();

  // The task must not throw. Thread-safe. Ignored once closed.
  void post(std::function<void()> task);

  // Starts nothing any more and waits for what runs. Tasks that wait are neither run nor destroyed: what they
  // hold may belong to a thread that is gone.
  void close();
  bool is_closed() const;
  // Somebody waits for what runs to end: a task, or close().
  bool is_wanted() const;
  // Closed, and nothing runs any more: tasks that were waiting will never run.
  bool has_stopped() const;

 private:
  void run();

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  std::condition_variable idle_;
  int running_ = 0;
  bool closed_ = false;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

// The one thread that touches libtorch. Lives until the process ends; whoever posts waits for its own tasks
// before the environment is torn down.
Executor& compute_thread();
// For decoding, resizing, reading and writing files: never libtorch.
Executor& io_threads();

// For rendering pictures into the model's input, ahead of the compute thread (engine/view_feed.h).
Executor& preparation_threads();

// Stops long work at its next step, starts none and waits. To be called before the process exits: the C++
// runtime then destroys statics of libtorch and oneDNN that a running forward pass would still use. Starts no
// thread itself.
void shut_down();
// Nothing runs any more, and tasks that were waiting will never run.
bool has_shut_down();

}  // namespace crane
