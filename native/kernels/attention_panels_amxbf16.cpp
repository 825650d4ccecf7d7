#if defined(__x86_64__) && defined(__linux__)

#include "kernels/vec_avx512bf16.h"
//
#include "kernels/attention_panels_kernel.h"
#include "kernels/attention_tile_products.h"
#include "kernels/faces.h"
#include "kernels/rounded_softmax.h"

namespace crane::kernels {

// Eight tiles of scores are 16 KB of the first-level cache, twice while the next ones are computed.
using Kernel = AttentionKernel<Vec, PairCells, RoundedSoftmax<Vec, PairCells>, TileProducts, /*k_tiles=*/8>;
const AttentionFace k_attention_amxbf16 = {Kernel::k_panel, Kernel::run};

}  // namespace crane::kernels

#endif
