#if defined(__x86_64__)

#include "kernels/vec_avx512int8.h"
//
#include "kernels/faces.h"
#include "kernels/int8_linear_kernel.h"

namespace crane::kernels {
namespace {

// The tiles of float32; rows of a block take 448 KB at most.
using Kernel = Int8LinearKernel<Vec, ByteCells, /*k_rows=*/14, /*k_block_bytes=*/448 << 10>;

}  // namespace

const LinearFace k_linear_avx512vnni = {14, Kernel::k_columns, /*cell_values=*/4, Kernel::run};

}  // namespace crane::kernels

#endif
