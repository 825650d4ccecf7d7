// Arrays of JavaScript that the engine's threads fill. Their memory is JavaScript's own: taken on the
// JavaScript thread, where it is neither zeroed nor copied, and written by the work that makes the result.
// Unlike an array around memory of the engine's it can be transferred to other threads, counts in full for
// the garbage collector, which frees it on threads of its own, and exists where foreign memory is refused
// (Electron).
#pragma once

#include <napi.h>

#include "async_task.h"
#include "results.h"

namespace crane::bindings {

// Memory that nobody has written yet. Errors: E_MEMORY.
Napi::ArrayBuffer unfilled_buffer(Napi::Env env, size_t bytes);

template <typename T>
class FilledArray {
 public:
  // JavaScript thread. Errors: E_MEMORY.
  FilledArray(Napi::Env env, size_t count) {
    Napi::ArrayBuffer buffer = unfilled_buffer(env, count * sizeof(T));
    data_ = static_cast<T*>(buffer.Data());
    array_ = reference_to(Napi::TypedArrayOf<T>::New(env, count, buffer, 0));
  }

  // [count], valid while this lives; any thread may write.
  T* data() const { return data_; }
  // JavaScript thread.
  Napi::Value value() const { return array_.Value(); }

 private:
  T* data_ = nullptr;
  Napi::Reference<Napi::Value> array_;
};

// Runs fill(dst) on the threads for input and output; resolves with the array of `count` values that it
// filled.
template <typename T, typename Fill>
Napi::Promise run_filling(Napi::Env env, size_t count, Fill fill, Keep keep) {
  FilledArray<T> array(env, count);
  T* const dst = array.data();
  return run_async(
      env, io_threads(),
      [fill = std::move(fill), dst] {
        fill(dst);
        return true;
      },
      [array = std::move(array)](Napi::Env, bool) { return array.value(); }, std::move(keep));
}

}  // namespace crane::bindings
