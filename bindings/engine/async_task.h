// The only place that knows asynchronous work: a task runs on one of the engine's threads, its completion on
// the JavaScript thread that asked. Nothing else may touch JavaScript values.
#pragma once

#include <napi.h>

#include <condition_variable>
#include <functional>
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

  using Completion = std::function<void(Napi::Env)>;
  // JavaScript thread: a task starts; keeps the event loop alive until it completes.
  void begin(Napi::Env env);
  // Any thread: hands the completion to the JavaScript thread, or drops it when that one is going away.
  void complete(std::unique_ptr<Completion> completion);
  bool is_closing() const;

 private:
  static void on_teardown(void* ledger);
  static void call_js(napi_env env, napi_value, void* context, void* data);

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

// give(env, result) makes the value that JavaScript gets.
template <typename Work, typename Give>
struct AsyncTask {
  using Result = std::invoke_result_t<Work>;
  Napi::Promise::Deferred deferred;
  std::optional<Work> work;
  Give give;
  std::vector<Napi::Reference<Napi::Value>> keep;
  std::optional<Result> result;
  std::optional<crane::Error> error;

  template <typename Step>
  void attempt(Step step) {
    try {
      step();
    } catch (...) {
      error.emplace(as_crane_error(std::current_exception()));
    }
  }
  // On one of the engine's threads. What the work holds of the engine is given up there, not on the
  // JavaScript thread: that may take long.
  void run_work() {
    attempt([this] { result.emplace((*work)()); });
  }
  // On the JavaScript thread.
  void settle(Napi::Env js) {
    if (error) {
      deferred.Reject(to_js_error(js, *error).Value());
      return;
    }
    try {
      deferred.Resolve(give(js, *result));
    } catch (const Napi::Error& thrown) {
      deferred.Reject(thrown.Value());
    } catch (...) {
      deferred.Reject(to_js_error(js, as_crane_error(std::current_exception())).Value());
    }
  }
};

// The task's JavaScript references may only be dropped on its own thread: hands over the last owner.
template <typename Task>
void complete(TaskLedger& ledger, std::shared_ptr<Task> task) {
  auto completion = std::make_unique<TaskLedger::Completion>([task](Napi::Env js) { task->settle(js); });
  task.reset();
  ledger.complete(std::move(completion));
}

template <typename Work, typename Give>
std::shared_ptr<AsyncTask<Work, Give>> task_of(Napi::Env env, Work work, Give give,
                                               std::vector<Napi::Reference<Napi::Value>> keep) {
  using Task = AsyncTask<Work, Give>;
  return std::make_shared<Task>(Task{Napi::Promise::Deferred::New(env), std::move(work), std::move(give),
                                     std::move(keep), std::nullopt, std::nullopt});
}

// Runs `work` on `executor`; resolves with give(env, result), rejects with the task's error.
// `keep` holds JavaScript values whose memory the work reads.
template <typename Work, typename Give>
Napi::Promise run_async(Napi::Env env, Executor& executor, Work work, Give give,
                        std::vector<Napi::Reference<Napi::Value>> keep = {}) {
  auto task = task_of(env, std::move(work), std::move(give), std::move(keep));
  const Napi::Promise promise = task->deferred.Promise();
  TaskLedger& ledger = TaskLedger::of(env);
  ledger.begin(env);
  executor.post([task = std::move(task), &ledger]() mutable {
    if (!ledger.is_closing()) task->run_work();
    task->work.reset();
    complete(ledger, std::move(task));
  });
  return promise;
}

// As run_async for results whose size the work decides: delivery.take(env, result) on the JavaScript thread
// takes JavaScript's memory for them (filled_array.h), delivery.fill(result) writes them there on `fillers`,
// so that `executor` goes on with its next work and the JavaScript thread copies nothing, and delivery(env,
// result) gives them.
template <typename Work, typename Delivery>
Napi::Promise run_async_delivered(Napi::Env env, Executor& executor, Work work, Executor& fillers,
                                  Delivery delivery, std::vector<Napi::Reference<Napi::Value>> keep = {}) {
  auto task = task_of(env, std::move(work), std::move(delivery), std::move(keep));
  const Napi::Promise promise = task->deferred.Promise();
  TaskLedger& ledger = TaskLedger::of(env);
  ledger.begin(env);
  executor.post([task = std::move(task), &ledger, &fillers]() mutable {
    if (!ledger.is_closing()) task->run_work();
    task->work.reset();
    if (!task->result) return complete(ledger, std::move(task));
    auto taken = std::make_unique<TaskLedger::Completion>([task, &ledger, &fillers](Napi::Env js) mutable {
      task->attempt([&] { task->give.take(js, *task->result); });
      if (task->error) return task->settle(js);
      ledger.begin(js);
      fillers.post([task = std::move(task), &ledger]() mutable {
        if (!ledger.is_closing()) task->attempt([&] { task->give.fill(*task->result); });
        complete(ledger, std::move(task));
      });
    });
    task.reset();
    ledger.complete(std::move(taken));
  });
  return promise;
}

}  // namespace crane::bindings
