#include "javascript.h"

#include <napi.h>

namespace crane::fire {

void JavaScript::push(void* data) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(data);
  }
  came_.notify_one();
}

void* JavaScript::pop() {
  std::unique_lock lock(mutex_);
  came_.wait(lock, [this] { return !queue_.empty(); });
  void* data = queue_.front();
  queue_.pop_front();
  return data;
}

void JavaScript::run_loop() {
  while (references > 0) call(this, nullptr, context, pop());
}

void JavaScript::tear_down() {
  hook(hook_data);
  const std::lock_guard lock(mutex_);
  for (void* data : queue_) call(nullptr, nullptr, context, data);
  queue_.clear();
}

}  // namespace crane::fire

namespace {
crane::fire::JavaScript& of(const void* handle) {
  return *static_cast<crane::fire::JavaScript*>(const_cast<void*>(handle));
}
}  // namespace

extern "C" {

napi_status napi_create_string_utf8(napi_env, const char*, size_t, napi_value*) { return napi_ok; }
napi_status napi_open_handle_scope(napi_env, napi_handle_scope*) { return napi_ok; }
napi_status napi_close_handle_scope(napi_env, napi_handle_scope) { return napi_ok; }

napi_status napi_create_threadsafe_function(napi_env env, napi_value, napi_value, napi_value, size_t, size_t, void*,
                                            napi_finalize, void* context, napi_threadsafe_function_call_js call,
                                            napi_threadsafe_function* made) {
  auto& javascript = of(env);
  javascript.call = reinterpret_cast<void (*)(void*, void*, void*, void*)>(call);
  javascript.context = context;
  javascript.references = 1;
  *made = reinterpret_cast<napi_threadsafe_function>(env);
  return napi_ok;
}
napi_status napi_ref_threadsafe_function(node_api_basic_env env, napi_threadsafe_function) {
  ++of(env).references;
  return napi_ok;
}
napi_status napi_unref_threadsafe_function(node_api_basic_env env, napi_threadsafe_function) {
  --of(env).references;
  return napi_ok;
}
napi_status napi_call_threadsafe_function(napi_threadsafe_function function, void* data, napi_threadsafe_function_call_mode) {
  of(function).push(data);
  return napi_ok;
}
napi_status napi_add_env_cleanup_hook(node_api_basic_env env, napi_cleanup_hook hook, void* data) {
  of(env).hook = hook;
  of(env).hook_data = data;
  return napi_ok;
}
}
