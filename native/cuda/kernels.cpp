#include "cuda/kernels.h"

#include "image/gaussian_cuda.h"

namespace crane::cuda {
namespace {

#ifdef CRANE_WITH_CUDA
constexpr Kernels k_compiled{
    .self_correlation = attention::self_correlation_cuda,
    .affinity = attention::affinity_cuda,
    .normalise_rows = layers::normalise_rows_cuda,
    .add_rows = layers::add_rows_cuda,
    .activate = layers::activate_cuda,
    .resample = image::resample_cuda,
    .normalise = image::normalise_cuda,
    .gaussian_blur = image::gaussian_blur_cuda,
};
const Kernels* table = &k_compiled;
#else
const Kernels* table = nullptr;
#endif

}  // namespace

const Kernels* kernels() { return table; }
void use_kernels(const Kernels* other) { table = other; }

}  // namespace crane::cuda
