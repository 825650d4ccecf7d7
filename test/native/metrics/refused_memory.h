// Memory that this program asks for in C++ is refused once.
#pragma once

namespace crane {

class RefusedMemory {
 public:
  // The allocation of this number from now on, from 1, is refused: bad_alloc.
  explicit RefusedMemory(long at);
  ~RefusedMemory();
  RefusedMemory(const RefusedMemory&) = delete;
  RefusedMemory& operator=(const RefusedMemory&) = delete;

  // Whether so many were asked for.
  bool was_refused() const;
};

}  // namespace crane
