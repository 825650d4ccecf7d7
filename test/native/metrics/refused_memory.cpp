#include "refused_memory.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace crane {
namespace {

std::atomic<bool> is_counting{false};
std::atomic<long> left{0};

}  // namespace

RefusedMemory::RefusedMemory(long at) {
  left = at;
  is_counting = true;
}
RefusedMemory::~RefusedMemory() { is_counting = false; }
bool RefusedMemory::was_refused() const { return left <= 0; }

}  // namespace crane

// Those of arrays come down to these.
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  if (crane::is_counting && --crane::left == 0) return nullptr;
  return std::malloc(bytes > 0 ? bytes : 1);
}
void* operator new(std::size_t bytes) {
  void* const taken = operator new(bytes, std::nothrow);
  if (taken == nullptr) throw std::bad_alloc();
  return taken;
}
void operator delete(void* given, const std::nothrow_t&) noexcept { std::free(given); }
void operator delete(void* given) noexcept { std::free(given); }
void operator delete(void* given, std::size_t) noexcept { std::free(given); }
