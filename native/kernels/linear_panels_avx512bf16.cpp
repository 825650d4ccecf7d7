#if defined(__x86_64__)

#include "kernels/vec_avx512bf16.h"
//
#include "kernels/faces.h"
#include "kernels/linear_panels_kernel.h"

namespace crane::kernels {

// As for float32, with twice the depth in the same memory.
using Kernel = LinearKernel<Vec, PairCells, /*k_rows=*/14, /*k_block_panels=*/8>;
const LinearFace k_linear_avx512bf16 = {14, Kernel::k_columns, PairCells::k_values, Kernel::run};

}  // namespace crane::kernels

#endif
