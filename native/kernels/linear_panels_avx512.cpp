#if defined(__x86_64__)

#include "kernels/vec_avx512.h"
//
#include "kernels/faces.h"
#include "kernels/linear_panels_kernel.h"

namespace crane::kernels {

// Of 32 registers: 14 rows x 2 vectors of results; 8 panels of 14 rows x 1024 take 448 KB.
using Kernel = LinearKernel<Vec, FloatCells<Vec>, /*k_rows=*/14, /*k_block_panels=*/8>;
const LinearFace k_linear_avx512 = {14, Kernel::k_columns, /*cell_values=*/1, Kernel::run};

}  // namespace crane::kernels

#endif
