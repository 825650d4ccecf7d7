#if defined(__x86_64__)

#include "kernels/vec_avx512bf16.h"
//
#include "kernels/attention_panels_kernel.h"
#include "kernels/attention_vector_products.h"
#include "kernels/faces.h"
#include "kernels/rounded_softmax.h"

namespace crane::kernels {
// As for float32; scores, or weights with values and sums, of twice as many keys stay in 32 KB.
using Products = VectorProducts<Vec, PairCells, /*keys=*/14, /*value_rows=*/7, /*value_vectors=*/4>;
using Kernel = AttentionKernel<Vec, PairCells, RoundedSoftmax<Vec, PairCells>, Products, /*k_tiles=*/8>;
const AttentionFace k_attention_avx512bf16 = {Kernel::k_panel, Kernel::run};

}  // namespace crane::kernels

#endif
