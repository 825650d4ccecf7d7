#if defined(__x86_64__)

#include "kernels/vec_avx2.h"
//
#include "kernels/affinity_panels_kernel.h"
#include "kernels/faces.h"

namespace crane::kernels {

using Kernel = AffinityKernel<Vec, /*k_keys=*/6, /*k_value_rows=*/4, /*k_value_vectors=*/2>;
const AffinityFace k_affinity_avx2 = {Kernel::k_panel, 6, Kernel::k_channels, Kernel::pack, Kernel::run};

}  // namespace crane::kernels

#endif
