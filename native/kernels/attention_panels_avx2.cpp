#if defined(__x86_64__)

#include "kernels/vec_avx2.h"
//
#include "kernels/attention_panels_kernel.h"
#include "kernels/faces.h"

namespace crane::kernels {

// Of 16 registers: 6 keys x 2 vectors of scores, or 6 queries x 2 vectors of channels.
using Kernel = AttentionKernel<Vec, FloatCells<Vec>, ExactSoftmax<Vec>, /*k_keys=*/6, /*k_value_rows=*/6,
                               /*k_value_vectors=*/2, /*k_tiles=*/10>;
const AttentionFace k_attention_avx2 = {Kernel::k_panel, Kernel::run};

}  // namespace crane::kernels

#endif
