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

template <typename Work, typename Then, typename Convert>
struct AsyncTask {
  using Result = std::invoke_result_t<Work>;
  Napi::Promise::Deferred deferred;
  std::optional<Work> work;
  Then then;
  Convert convert;
  std::vector<Napi::Reference<Napi::Value>> keep;
  std::optional<Result> result;
  std::optional<crane::Error> error;

  // On one of the engine's threads.
  void run_work() {
    try {
      result.emplace((*work)());
    } catch (...) {
      error.emplace(as_crane_error(std::current_exception()));
    }
  }
  void run_then() {
    try {
      then(*result);
    } catch (...) {
      error.emplace(as_crane_error(std::current_exception()));
    }
  }
  // On the JavaScript thread.
  void settle(Napi::Env js) {
    if (error) {
      deferred.Reject(to_js_error(js, *error).Value());
      return;
    }
    try {
      deferred.Resolve(convert(js, *result));
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

// As run_async, with a second step on other threads, then(result), so that `executor` goes on with its next
// work meanwhile.
template <typename Work, typename Then, typename Convert>
Napi::Promise run_async_in_two(Napi::Env env, Executor& executor, Work work, Executor& then_executor,
                               Then then, Convert convert,
                               std::vector<Napi::Reference<Napi::Value>> keep = {}) {
  using Task = AsyncTask<Work, Then, Convert>;
  auto task = std::make_shared<Task>(Task{Napi::Promise::Deferred::New(env), std::move(work), std::move(then),
                                          std::move(convert), std::move(keep), std::nullopt, std::nullopt});
  const Napi::Promise promise = task->deferred.Promise();
  TaskLedger& ledger = TaskLedger::of(env);
  ledger.begin(env);
  executor.post([task = std::move(task), &ledger, &then_executor]() mutable {
    if (!ledger.is_closing()) task->run_work();
    // What the work holds of the engine is given up here, not on the JavaScript thread: that may take long.
    task->work.reset();
    if (!task->result) return complete(ledger, std::move(task));
    then_executor.post([task = std::move(task), &ledger]() mutable {
      if (!ledger.is_closing()) task->run_then();
      complete(ledger, std::move(task));
    });
  });
  return promise;
}

// Runs `work` on `executor`; resolves with convert(env, result), rejects with the task's error.
// `keep` holds JavaScript values whose memory the work reads.
template <typename Work, typename Convert>
Napi::Promise run_async(Napi::Env env, Executor& executor, Work work, Convert convert,
                        std::vector<Napi::Reference<Napi::Value>> keep = {}) {
  using Result = std::invoke_result_t<Work>;
  const auto nothing = [](Result&) {};
  using Task = AsyncTask<Work, decltype(nothing), Convert>;
  auto task = std::make_shared<Task>(Task{Napi::Promise::Deferred::New(env), std::move(work), nothing,
                                          std::move(convert), std::move(keep), std::nullopt, std::nullopt});
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

}  // namespace crane::bindings
