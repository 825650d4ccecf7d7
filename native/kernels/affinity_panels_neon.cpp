#if defined(__aarch64__)

#include "kernels/vec_neon.h"
//
#include "kernels/affinity_panels_kernel.h"
#include "kernels/faces.h"

namespace crane::kernels {

using Kernel = AffinityKernel<Vec, /*k_keys=*/6, /*k_value_rows=*/4, /*k_value_vectors=*/2>;
const AffinityFace k_affinity_neon = {Kernel::k_panel, 6, Kernel::k_channels, Kernel::pack, Kernel::run};

}  // namespace crane::kernels

#endif
