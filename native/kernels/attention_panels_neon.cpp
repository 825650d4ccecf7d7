#if defined(__aarch64__)

#include "kernels/vec_neon.h"
//
#include "kernels/attention_panels_kernel.h"
#include "kernels/faces.h"

namespace crane::kernels {

// As with AVX2's eight lanes: 6 keys x 2 vectors of scores, or 6 queries x 2 vectors of channels.
using Kernel = AttentionKernel<Vec, FloatCells<Vec>, ExactSoftmax<Vec>, /*k_keys=*/6, /*k_value_rows=*/6,
                               /*k_value_vectors=*/2, /*k_tiles=*/10>;
const AttentionFace k_attention_neon = {Kernel::k_panel, Kernel::run};

}  // namespace crane::kernels

#endif
