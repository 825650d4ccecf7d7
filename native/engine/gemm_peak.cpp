#include "engine/gemm_peak.h"

#include <ATen/ops/mm.h>
#include <ATen/ops/randn.h>

#include <ctime>

#include "core/error.h"
#include "core/stopwatch.h"
#include "cuda/tensors.h"
#include "tensors/torch_errors.h"
#include "tensors/torch_headers.h"

namespace crane {
namespace {

constexpr int64_t k_largest = 1 << 15;  // 4 GiB a matrix in float32

at::Device device_of(const std::string& name) {
  try {
    return at::Device(name);
  } catch (const c10::Error&) {
    throw Error("E_DEVICE", join_text("\"", name, "\" is no device"), "use cpu, cuda or cuda:N");
  }
}

// A number read back from a device has waited for all that was asked of it before.
void wait_for(const at::Tensor& product) { product.view(-1)[0].item<float>(); }

}  // namespace

GemmTime time_gemm(const GemmRequest& request) {
  check_input(request.size >= 1 && request.size <= k_largest, "E_USAGE", "expected a size from 1 to ",
              k_largest, " for the matrices, received ", request.size);
  check_input(request.precision != Precision::int8, "E_USAGE", "libtorch has no product of int8 matrices");
  check_input(request.repeats >= 1, "E_USAGE", "expected at least 1 product, received ", request.repeats);
  const at::Device device = device_of(request.device);
  return translate_errors([&] {
    const c10::InferenceMode guard;
    const auto kind = at::TensorOptions().device(device).dtype(cuda::scalar_type_of(request.precision));
    const at::Tensor a = at::randn({request.size, request.size}, kind);
    const at::Tensor b = at::randn({request.size, request.size}, kind);
    at::Tensor product = at::empty({request.size, request.size}, kind);
    // The first product touches the result's pages and lets the library choose its kernel.
    at::mm_out(product, a, b);
    wait_for(product);
    const std::clock_t cpu = std::clock();
    Stopwatch watch;
    for (int64_t i = 0; i < request.repeats; ++i) at::mm_out(product, a, b);
    wait_for(product);
    const double seconds = watch.lap_ms() / 1e3;
    const double cpu_seconds = static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC;
    const auto repeats = static_cast<double>(request.repeats);
    return GemmTime{seconds / repeats, cpu_seconds / repeats};
  });
}

}  // namespace crane
