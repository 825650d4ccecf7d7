// The kernels compiled for the CPU.
#pragma once

#include "engine/linked_kernels.h"

namespace crane::cuda {

// The emulator's order of events, see emulated/cuda_runtime.h.
void set_schedule(bool is_early);

inline Kernels emulated_kernels() { return linked_kernels(/*is_emulated=*/true); }

}  // namespace crane::cuda
