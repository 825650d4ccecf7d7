#if defined(__x86_64__)

#include "kernels/vec_avx512.h"
//
#include "kernels/affinity_panels_kernel.h"
#include "kernels/faces.h"

namespace crane::kernels {

using Kernel = AffinityKernel<Vec, /*k_keys=*/14, /*k_value_rows=*/4, /*k_value_vectors=*/4>;
const AffinityFace k_affinity_avx512 = {Kernel::k_panel, 14, Kernel::k_channels, Kernel::pack, Kernel::run};

}  // namespace crane::kernels

#endif
