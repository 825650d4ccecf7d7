// The only place that knows asynchronous work: a task runs on one of the engine's threads, its completion on
// the JavaScript thread that asked. Nothing else may touch JavaScript values.
#pragma once

#include <napi.h>

#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <vector>

#include "core/error.h"
#include "core/executor.h"

namespace crane::bindings {

// Per environment (main thread or worker): tasks in flight and the way back to JavaScript.
// Created on the environment's thread; `outstanding` is counted under the mutex from any thread.
class TaskLedger {
 public:
  static TaskLedger& of(Napi::Env env);
  explicit TaskLedger(Napi::Env env);

  // What comes back to JavaScript. It is there before its work begins, so that nothing on the way back takes
  // memory: a thread that is refused some there could only end the process.
  class Completion {
   public:
    virtual ~Completion() = default;
    // On the JavaScript thread. `self` owns this.
    virtual void arrive(Napi::Env js, std::unique_ptr<Completion> self) = 0;
  };

  // JavaScript thread: a task starts; keeps the event loop alive until it completes.
  void begin(Napi::Env env);
  // JavaScript thread: what has begun could not be handed to a thread.
  void withdraw(Napi::Env env);
  // Any thread: hands the completion to the JavaScript thread, or drops it when that one is going away.
  void complete(std::unique_ptr<Completion> completion);
  bool is_closing() const;

 private:
  static void on_teardown(void* ledger);
  static void call_js(napi_env env, napi_value, void* context, void* data);
  void end_pending(napi_env env);

  napi_threadsafe_function to_js_ = nullptr;
  int pending_ = 0;  // JavaScript thread only
  mutable std::mutex mutex_;
  std::condition_variable idle_;
  int outstanding_ = 0;
  bool closing_ = false;
};

// An Error object with `code` and `hint`.
Napi::Error to_js_error(Napi::Env env, const crane::Error& error);
// Whatever a task threw, as a crane::Error (E_MEMORY for bad_alloc, E_INTERNAL for the unknown).
crane::Error as_crane_error(std::exception_ptr thrown);

// One piece of work and its promise. give(env, result) makes the value that JavaScript gets. JavaScript's
// references may only be dropped on its own thread, so a task that began ends there.
template <typename Work, typename Give>
struct AsyncTask : TaskLedger::Completion {
  using Result = std::invoke_result_t<Work>;

  AsyncTask(Napi::Env env, Work&& work_, Give&& give_, std::vector<Napi::Reference<Napi::Value>>&& keep_)
      : ledger(TaskLedger::of(env)),
        deferred(Napi::Promise::Deferred::New(env)),
        work(std::move(work_)),
        give(std::move(give_)),
        keep(std::move(keep_)) {}

  template <typename Step>
  void attempt(Step step) {
    try {
      step();
    } catch (...) {
      thrown = std::current_exception();
    }
  }
  // On one of the engine's threads. What the work holds of the engine is given up there, not on the
  // JavaScript thread: that may take long.
  void run() {
    if (!ledger.is_closing()) attempt([this] { result.emplace((*work)()); });
    work.reset();
    ledger.complete(std::unique_ptr<TaskLedger::Completion>(this));
  }
  void arrive(Napi::Env js, std::unique_ptr<TaskLedger::Completion>) override { settle(js); }
  // On the JavaScript thread.
  void settle(Napi::Env js) {
    if (thrown) return reject(js, thrown);
    try {
      deferred.Resolve(give(js, *result));
    } catch (const Napi::Error& error) {
      deferred.Reject(error.Value());
    } catch (...) {
      reject(js, std::current_exception());
    }
  }
  void reject(Napi::Env js, std::exception_ptr what) {
    deferred.Reject(to_js_error(js, as_crane_error(std::move(what))).Value());
  }

  TaskLedger& ledger;
  Napi::Promise::Deferred deferred;
  std::optional<Work> work;
  Give give;
  std::vector<Napi::Reference<Napi::Value>> keep;
  std::optional<Result> result;
  std::exception_ptr thrown;  // made into an error where it can be told
};

// JavaScript thread: `threads` (an Executor, Lanes) do a step of the task, which then owns itself. Where the
// queue gets no memory the promise is rejected.
template <auto Step, typename Threads, typename Task>
void post_step(Napi::Env env, Threads& threads, std::unique_ptr<Task> task) {
  task->ledger.begin(env);
  Task* const bare = task.release();
  try {
    threads.post([bare] { (bare->*Step)(); });
  } catch (...) {
    task.reset(bare);
    task->ledger.withdraw(env);
    task->reject(env, std::current_exception());
  }
}

// Runs `work` on `executor`; resolves with give(env, result), rejects with the task's error.
// `keep` holds JavaScript values whose memory the work reads.
template <typename Work, typename Give>
Napi::Promise run_async(Napi::Env env, Executor& executor, Work work, Give give,
                        std::vector<Napi::Reference<Napi::Value>> keep = {}) {
  using Task = AsyncTask<Work, Give>;
  auto task = std::make_unique<Task>(env, std::move(work), std::move(give), std::move(keep));
  const Napi::Promise promise = task->deferred.Promise();
  post_step<&Task::run>(env, executor, std::move(task));
  return promise;
}

template <typename Work, typename Delivery>
struct DeliveredTask : AsyncTask<Work, Delivery> {
  template <typename... Parts>
  explicit DeliveredTask(Executor& fillers_, Parts&&... parts)
      : AsyncTask<Work, Delivery>(std::forward<Parts>(parts)...), fillers(fillers_) {}

  void arrive(Napi::Env js, std::unique_ptr<TaskLedger::Completion> self) override {
    if (this->thrown || is_taken) return this->settle(js);
    is_taken = true;
    this->attempt([&] { this->give.take(js, *this->result); });
    if (this->thrown) return this->settle(js);
    static_cast<void>(self.release());  // this task holds itself from here on
    post_step<&DeliveredTask::fill>(js, fillers, std::unique_ptr<DeliveredTask>(this));
  }
  void fill() {
    if (!this->ledger.is_closing()) this->attempt([this] { this->give.fill(*this->result); });
    this->ledger.complete(std::unique_ptr<TaskLedger::Completion>(this));
  }

  Executor& fillers;
  bool is_taken = false;  // JavaScript thread only
};

// As run_async for results whose size the work decides: delivery.take(env, result) on the JavaScript thread
// takes JavaScript's memory for them (filled_array.h), delivery.fill(result) writes them there on `fillers`,
// so that `threads` go on with its next work and the JavaScript thread copies nothing, and delivery(env,
// result) gives them.
template <typename Threads, typename Work, typename Delivery>
Napi::Promise run_async_delivered(Napi::Env env, Threads& threads, Work work, Executor& fillers,
                                  Delivery delivery, std::vector<Napi::Reference<Napi::Value>> keep = {}) {
  using Task = DeliveredTask<Work, Delivery>;
  auto task = std::make_unique<Task>(fillers, env, std::move(work), std::move(delivery), std::move(keep));
  const Napi::Promise promise = task->deferred.Promise();
  post_step<&Task::run>(env, threads, std::move(task));
  return promise;
}

}  // namespace crane::bindings
