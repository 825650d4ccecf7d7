#include "cuda/tensors.h"

#include <c10/core/impl/VirtualGuardImpl.h>

#include <map>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

namespace crane::cuda {

bool has_kernels(at::Device device) {
  return kernels() != nullptr && (device.is_cuda() || kernels()->is_emulated);
}

bool runs_batches(at::Device device) { return device.is_cuda() || has_kernels(device); }

std::optional<Element> element_of(const at::Tensor& x) {
  switch (x.scalar_type()) {
    case at::kBFloat16:
      return Element::bf16;
    case at::kHalf:
      return Element::fp16;
    default:
      return std::nullopt;
  }
}

void* current_stream(at::Device device) {
  if (!device.is_cuda()) return nullptr;
  return c10::impl::VirtualGuardImpl(at::kCUDA).getStream(device).native_handle();
}

at::Tensor numbers_on(std::span<const double> values, at::ScalarType type, at::Device device) {
  const at::Tensor exact = at::tensor(at::ArrayRef<double>(values.data(), values.size())).to(type);
  if (!device.is_cuda()) return exact;
  // All work on libtorch runs on one thread; the lock is for tests that do not.
  static std::mutex mutex;
  static std::map<std::tuple<std::vector<double>, at::ScalarType, std::string>, at::Tensor> kept;
  const std::lock_guard lock(mutex);
  at::Tensor& found = kept[{{values.begin(), values.end()}, type, device.str()}];
  if (!found.defined()) found = exact.to(device);
  return found;
}

at::ScalarType scalar_type_of(Precision precision) {
  switch (precision) {
    case Precision::bfloat16:
      return at::kBFloat16;
    case Precision::float16:
      return at::kHalf;
    case Precision::int8:  // of CPUs alone
    case Precision::float32:
      break;
  }
  return at::kFloat;
}

}  // namespace crane::cuda
