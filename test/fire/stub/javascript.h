// A JavaScript thread without JavaScript: the calls of Node-API by which tasks come back to it (bindings/engine/
// async_task.h), as Node promises them. Not reached: everything that makes values.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>

namespace crane::fire {

class JavaScript {
 public:
  // Runs what came until nothing keeps the loop alive. On the thread that is JavaScript's.
  void run_loop();
  // As when the environment ends: the hooks, then what is left in the queue with no environment.
  void tear_down();

  // Node-API's side.
  void (*call)(void* env, void* function, void* context, void* data) = nullptr;
  void* context = nullptr;
  void (*hook)(void*) = nullptr;
  void* hook_data = nullptr;
  void push(void* data);
  int references = 0;  // of the loop, on its thread

 private:
  void* pop();

  std::mutex mutex_;
  std::condition_variable came_;
  std::deque<void*> queue_;
};

}  // namespace crane::fire
