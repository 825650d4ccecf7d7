#if defined(__x86_64__)

#include "kernels/vec_avx512.h"
//
#include "kernels/attention_panels_kernel.h"
#include "kernels/attention_vector_products.h"
#include "kernels/faces.h"

namespace crane::kernels {

// Of 32 registers: 14 keys x 2 vectors of scores, or 7 queries x 4 vectors of channels; four tiles a chunk
// keep its weights, values and sums in 32 KB.
using Products = VectorProducts<Vec, FloatCells<Vec>, /*keys=*/14, /*value_rows=*/7, /*value_vectors=*/4>;
using Kernel = AttentionKernel<Vec, FloatCells<Vec>, ExactSoftmax<Vec>, Products, /*k_tiles=*/4>;
const AttentionFace k_attention_avx512 = {Kernel::k_panel, Kernel::run};

}  // namespace crane::kernels

#endif
