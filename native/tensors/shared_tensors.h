// Tensors that never change and that several engines of a process hold once. Whoever asks for one says what
// it is made of and how; who asks for the same while it lives is given the same memory. The pool keeps
// nothing alive: a tensor goes with its last user.
#pragma once

#include <c10/util/FunctionRef.h>

#include <cstdint>
#include <string>

#include "tensors/torch_headers.h"

namespace crane {

// The tensor of that key, else what `make` gives, which nobody may write to from then on. An empty key stands
// for what cannot be named: it is made and not shared. Thread-safe: where two make the same one at a time,
// one of the two is dropped. `was_there` says whether it was found. Throws what `make` throws.
at::Tensor shared_tensor(const std::string& key, c10::function_ref<at::Tensor()> make,
                         bool* was_there = nullptr);

struct SharedTensors {
  int64_t tensors = 0;
  int64_t bytes = 0;  // each counted once, however many engines use it
};

// What lives now.
SharedTensors shared_tensors();

}  // namespace crane
