#if defined(__aarch64__)

#include "kernels/vec_neon.h"
//
#include "kernels/faces.h"
#include "kernels/nearest_panels_kernel.h"

namespace crane::kernels {

using Kernel = NearestKernel<Vec, /*k_bank_rows=*/6>;
const NearestFace k_nearest_neon = {Kernel::k_panel, Kernel::run};

}  // namespace crane::kernels

#endif
