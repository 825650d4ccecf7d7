#if defined(__x86_64__)

#include "kernels/vec_avx2.h"
//
#include "kernels/attention_panels_kernel.h"
#include "kernels/attention_vector_products.h"
#include "kernels/faces.h"

namespace crane::kernels {

// Of 16 registers: 6 keys x 2 vectors of scores, or 6 queries x 2 vectors of channels.
using Products = VectorProducts<Vec, FloatCells<Vec>, /*keys=*/6, /*value_rows=*/6, /*value_vectors=*/2>;
using Kernel = AttentionKernel<Vec, FloatCells<Vec>, ExactSoftmax<Vec>, Products, /*k_tiles=*/10>;
const AttentionFace k_attention_avx2 = {Kernel::k_panel, Kernel::run};

}  // namespace crane::kernels

#endif
