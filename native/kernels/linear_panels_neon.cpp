#if defined(__aarch64__)

#include "kernels/vec_neon.h"
//
#include "kernels/faces.h"
#include "kernels/linear_panels_kernel.h"

namespace crane::kernels {

// As with AVX2's eight lanes: 6 rows x 2 vectors of results; 10 panels of 6 rows x 1024 take 240 KB.
using Kernel = LinearKernel<Vec, FloatCells<Vec>, /*k_rows=*/6, /*k_block_panels=*/10>;
const LinearFace k_linear_neon = {6, Kernel::k_columns, /*cell_values=*/1, Kernel::run};

}  // namespace crane::kernels

#endif
