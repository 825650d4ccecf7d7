#include "core/executor.h"

#include <exception>
#include <utility>

#include "core/cancel.h"
#include "core/error.h"

namespace crane {

Executor::Executor(int threads) {
  threads_.reserve(static_cast<size_t>(threads));
  for (int i = 0; i < threads; ++i) {
    try {
      threads_.emplace_back([this] { run(); });
    } catch (const std::exception& error) {
      // Fewer do the same work; those that run already must not be destroyed unjoined.
      if (!threads_.empty()) return;
      throw Error("E_MEMORY", join_text("the system starts no more threads (", error.what(), ")"),
                  "end other programs, or raise the limits on memory and threads (ulimit -v, ulimit -u)");
    }
  }
}

Executor::~Executor() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Executor::post(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) {
      new std::function<void()>(std::move(task));  // kept for ever, see close()
      return;
    }
    tasks_.push_back(std::move(task));
  }
  wake_.notify_one();
}

void Executor::close() {
  std::unique_lock lock(mutex_);
  closed_ = true;
  new std::deque<std::function<void()>>(std::move(tasks_));
  tasks_.clear();
  idle_.wait(lock, [this] { return running_ == 0; });
}

bool Executor::is_closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

bool Executor::is_wanted() const {
  const std::lock_guard lock(mutex_);
  return closed_ || !tasks_.empty();
}

bool Executor::has_stopped() const {
  const std::lock_guard lock(mutex_);
  return closed_ && running_ == 0;
}

void Executor::run() {
  for (;;) {
    std::function<void()> task;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
      ++running_;
    }
    task();
    task = nullptr;
    {
      const std::lock_guard lock(mutex_);
      --running_;
    }
    idle_.notify_all();
  }
}

namespace {

// One of the process, whose threads are started when it is first asked for: never by what only ends it, since
// the system may have refused them before.
class SharedExecutor {
 public:
  explicit SharedExecutor(int threads) : threads_(threads) {}

  // Errors: E_MEMORY.
  Executor& get() {
    const std::lock_guard lock(mutex_);
    if (executor_ == nullptr) {
      executor_ = new Executor(is_closed_ ? 0 : threads_);
      if (is_closed_) executor_->close();
    }
    return *executor_;
  }

  void close() {
    Executor* executor = nullptr;
    {
      const std::lock_guard lock(mutex_);
      is_closed_ = true;
      executor = executor_;
    }
    // Not under the lock: what runs may post.
    if (executor != nullptr) executor->close();
  }

  bool has_stopped() {
    const std::lock_guard lock(mutex_);
    return is_closed_ && (executor_ == nullptr || executor_->has_stopped());
  }

 private:
  const int threads_;
  std::mutex mutex_;
  Executor* executor_ = nullptr;
  bool is_closed_ = false;
};

// Leaked on purpose: joining during static destruction would wait on threads that use destroyed statics.
SharedExecutor& shared_compute() {
  static SharedExecutor* const shared = new SharedExecutor(1);
  return *shared;
}

SharedExecutor& shared_io() {
  static SharedExecutor* const shared = new SharedExecutor(2);
  return *shared;
}

SharedExecutor& shared_preparation() {
  static SharedExecutor* const shared = new SharedExecutor(2);
  return *shared;
}

}  // namespace

Executor& compute_thread() { return shared_compute().get(); }
Executor& io_threads() { return shared_io().get(); }
Executor& preparation_threads() { return shared_preparation().get(); }

void shut_down() {
  request_shutdown();
  shared_compute().close();
  shared_io().close();
  // Last: what runs on the compute thread may wait for a picture.
  shared_preparation().close();
}

bool has_shut_down() {
  return shared_compute().has_stopped() && shared_io().has_stopped() && shared_preparation().has_stopped();
}

}  // namespace crane
