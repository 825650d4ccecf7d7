#include "tensors/shared_tensors.h"

#include <map>
#include <mutex>

namespace crane {
namespace {

using Weak = c10::weak_intrusive_ptr<c10::TensorImpl, c10::UndefinedTensorImpl>;

struct Pool {
  std::mutex mutex;
  std::map<std::string, Weak> tensors;
  size_t sweep_at = 64;

  at::Tensor find(const std::string& key) {
    const auto found = tensors.find(key);
    if (found == tensors.end()) return {};
    auto alive = found->second.lock();
    return alive.defined() ? at::Tensor(std::move(alive)) : at::Tensor();
  }

  // Names of what went are forgotten when there are twice as many as after the last time.
  void sweep() {
    if (tensors.size() < sweep_at) return;
    std::erase_if(tensors, [](const auto& each) { return each.second.expired(); });
    sweep_at = std::max<size_t>(64, 2 * tensors.size());
  }
};

// Never destroyed: engines may live as long as the process.
Pool& pool() {
  static Pool* const made = new Pool;
  return *made;
}

}  // namespace

at::Tensor shared_tensor(const std::string& key, c10::function_ref<at::Tensor()> make, bool* was_there) {
  if (was_there != nullptr) *was_there = false;
  if (key.empty()) return make();
  Pool& all = pool();
  {
    const std::lock_guard lock(all.mutex);
    at::Tensor found = all.find(key);
    if (found.defined()) {
      if (was_there != nullptr) *was_there = true;
      return found;
    }
  }
  at::Tensor made = make();
  const std::lock_guard lock(all.mutex);
  at::Tensor found = all.find(key);  // another engine's, made meanwhile
  if (found.defined()) return found;
  all.sweep();
  all.tensors.insert_or_assign(key, Weak(made.getIntrusivePtr()));
  return made;
}

SharedTensors shared_tensors() {
  Pool& all = pool();
  const std::lock_guard lock(all.mutex);
  SharedTensors sum;
  for (const auto& [key, weak] : all.tensors) {
    const at::Tensor each = all.find(key);
    if (!each.defined()) continue;
    ++sum.tensors;
    sum.bytes += static_cast<int64_t>(each.nbytes());
  }
  return sum;
}

}  // namespace crane
