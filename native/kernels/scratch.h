// Memory of one thread that grows to what its kernels need and is kept between calls.
#pragma once

#include <cstddef>
#include <cstdint>

namespace crane::kernels {

class Scratch {
 public:
  Scratch() = default;
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  // `count` floats on a cache line's boundary; what was there before is lost. Throws std::bad_alloc.
  float* floats(int64_t count);

 private:
  float* data_ = nullptr;
  int64_t capacity_ = 0;
};

}  // namespace crane::kernels
