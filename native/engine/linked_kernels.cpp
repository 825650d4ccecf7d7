#include "cuda/kernels.h"

#ifdef CRANE_WITH_CUDA
#include "engine/linked_kernels.h"
#endif

namespace crane::cuda {
namespace {

#ifdef CRANE_WITH_CUDA
constexpr Kernels k_compiled = linked_kernels(/*is_emulated=*/false);
const Kernels* table = &k_compiled;
#else
const Kernels* table = nullptr;
#endif

}  // namespace

const Kernels* kernels() { return table; }
void use_kernels(const Kernels* other) { table = other; }

}  // namespace crane::cuda
