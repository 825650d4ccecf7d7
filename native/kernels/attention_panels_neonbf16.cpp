#if defined(__aarch64__)

#include "kernels/vec_neonbf16.h"
//
#include "kernels/attention_panels_kernel.h"
#include "kernels/attention_vector_products.h"
#include "kernels/faces.h"
#include "kernels/rounded_softmax.h"

namespace crane::kernels {

// As for float32, with twice as many keys in the same memory.
using Products = VectorProducts<Vec, PairCells, /*keys=*/6, /*value_rows=*/6, /*value_vectors=*/2>;
using Kernel = AttentionKernel<Vec, PairCells, RoundedSoftmax<Vec, PairCells>, Products, /*k_tiles=*/10>;
const AttentionFace k_attention_neonbf16 = {Kernel::k_panel, Kernel::run};

}  // namespace crane::kernels

#endif
