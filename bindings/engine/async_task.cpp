#include "async_task.h"

#include <chrono>
#include <new>
#include <system_error>
#include <utility>

namespace crane::bindings {

TaskLedger& TaskLedger::of(Napi::Env env) { return *env.GetInstanceData<TaskLedger>(); }

TaskLedger::TaskLedger(Napi::Env env) {
  const Napi::String name = Napi::String::New(env, "crane-native");
  napi_status status = napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr,
                                                       this, call_js, &to_js_);
  NAPI_THROW_IF_FAILED_VOID(env, status);
  napi_unref_threadsafe_function(env, to_js_);
  // Added after the function above, so it runs before that one is closed.
  napi_add_env_cleanup_hook(env, on_teardown, this);
}

void TaskLedger::begin(Napi::Env env) {
  if (pending_++ == 0) napi_ref_threadsafe_function(env, to_js_);
  const std::lock_guard lock(mutex_);
  ++outstanding_;
}

void TaskLedger::withdraw(Napi::Env env) {
  end_pending(env);
  const std::lock_guard lock(mutex_);
  --outstanding_;
}

void TaskLedger::end_pending(napi_env env) {
  if (--pending_ == 0) napi_unref_threadsafe_function(env, to_js_);
}

void TaskLedger::complete(std::unique_ptr<Completion> completion) {
  const std::lock_guard lock(mutex_);
  Completion* handed = completion.release();
  // A closing environment must not be called: its JavaScript values die with it, so the completion that
  // refers to them is leaked rather than destroyed on this thread.
  if (!closing_) napi_call_threadsafe_function(to_js_, handed, napi_tsfn_nonblocking);
  // Under the lock: the waiter destroys this object as soon as it gets it.
  --outstanding_;
  idle_.notify_all();
}

bool TaskLedger::is_closing() const {
  const std::lock_guard lock(mutex_);
  return closing_;
}

void TaskLedger::on_teardown(void* data) {
  TaskLedger& ledger = *static_cast<TaskLedger*>(data);
  std::unique_lock lock(ledger.mutex_);
  ledger.closing_ = true;
  // Tasks that a shutdown dropped never report back: then nothing is left to wait for.
  while (ledger.outstanding_ > 0 && !has_shut_down()) {
    ledger.idle_.wait_for(lock, std::chrono::milliseconds(50));
  }
}

void TaskLedger::call_js(napi_env env, napi_value, void* context, void* data) {
  std::unique_ptr<Completion> completion(static_cast<Completion*>(data));
  TaskLedger& ledger = *static_cast<TaskLedger*>(context);
  if (env == nullptr) {
    static_cast<void>(completion.release());  // the environment is gone; see complete()
    return;
  }
  ledger.end_pending(env);
  const Napi::HandleScope scope(env);
  try {
    Completion& arrived = *completion;
    arrived.arrive(env, std::move(completion));
  } catch (...) {
    // A terminating worker refuses every call; nobody is left to hear of it, and nothing may leave a C
    // callback.
  }
}

Napi::Error to_js_error(Napi::Env env, const crane::Error& error) {
  Napi::Error js = Napi::Error::New(env, error.what());
  js.Set("code", Napi::String::New(env, error.code()));
  if (!error.hint().empty()) js.Set("hint", Napi::String::New(env, error.hint()));
  return js;
}

crane::Error as_crane_error(std::exception_ptr thrown) {
  try {
    std::rethrow_exception(std::move(thrown));
  } catch (const crane::Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return crane::Error("E_MEMORY", "the machine has not enough memory for this",
                        "use smaller batches, a smaller --size or a smaller model");
  } catch (const std::system_error& error) {
    // A thread or a mutex that the system has no room for.
    const bool is_memory = error.code() == std::errc::resource_unavailable_try_again ||
                           error.code() == std::errc::not_enough_memory;
    return crane::Error(is_memory ? "E_MEMORY" : "E_INTERNAL", error.what());
  } catch (const std::exception& error) {
    return crane::Error("E_INTERNAL", error.what());
  } catch (...) {
    return crane::Error("E_INTERNAL", "something that is no exception was thrown");
  }
}

}  // namespace crane::bindings
