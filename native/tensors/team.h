// Runs our own kernels on the threads that libtorch uses for its operators.
#pragma once

#include <cstdint>

#include "tensors/torch_headers.h"

namespace crane {

// Calls work(first, last) for ranges that together are [0, tasks), on the compute thread's team; returns when
// all are done. Exceptions of `work` come out here. Goes through TensorIterator, because at::parallel_for is
// a template whose OpenMP regions would be compiled into this library and need an OpenMP of its own beside
// libtorch's.
void run_on_team(int64_t tasks, c10::function_ref<void(int64_t first, int64_t last)> work);

// The same in pieces of at most `piece` tasks: each thread has a share of them one after the other and, when
// it has done them, takes pieces of the others' shares. So a thread that another program keeps from its
// processor holds up nobody for longer than a piece. Which thread does a piece must change no bit of the
// result.
void run_in_pieces(int64_t tasks, int64_t piece, c10::function_ref<void(int64_t first, int64_t last)> work);

}  // namespace crane
