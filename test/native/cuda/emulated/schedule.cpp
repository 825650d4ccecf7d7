#include "../emulated_kernels.h"
#include "cuda_runtime.h"

namespace crane::cuda {

void set_schedule(bool is_early) {
  emulated::set_schedule(is_early ? emulated::Schedule::early : emulated::Schedule::late);
}

}  // namespace crane::cuda
