#include "kernels/scratch.h"

#include <new>

namespace crane::kernels {
namespace {

constexpr std::align_val_t k_cache_line{64};

}  // namespace

Scratch::~Scratch() { ::operator delete(data_, k_cache_line); }

float* Scratch::floats(int64_t count) {
  if (count > capacity_) {
    ::operator delete(data_, k_cache_line);
    data_ = nullptr;
    capacity_ = 0;
    data_ = static_cast<float*>(::operator new(static_cast<size_t>(count) * sizeof(float), k_cache_line));
    capacity_ = count;
  }
  return data_;
}

}  // namespace crane::kernels
