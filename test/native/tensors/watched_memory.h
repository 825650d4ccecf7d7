// The memory of libtorch's tensors on a CPU, of which some is refused.
#pragma once

#include <c10/core/CPUAllocator.h>

#include <functional>
#include <new>
#include <utility>

namespace crane {

class WatchedMemory final : public c10::Allocator {
 public:
  // refuses(bytes): whether this allocation, on whichever thread it is, is refused (bad_alloc).
  explicit WatchedMemory(std::function<bool(size_t bytes)> refuses)
      : before_(c10::GetCPUAllocator()), refuses_(std::move(refuses)) {
    c10::SetCPUAllocator(this);
  }
  ~WatchedMemory() override { c10::SetCPUAllocator(before_); }

  c10::DataPtr allocate(size_t bytes) override {
    if (refuses_(bytes)) throw std::bad_alloc();
    return before_->allocate(bytes);
  }
  void copy_data(void* dst, const void* src, size_t bytes) const override {
    before_->copy_data(dst, src, bytes);
  }

 private:
  c10::Allocator* before_;
  std::function<bool(size_t)> refuses_;
};

}  // namespace crane
