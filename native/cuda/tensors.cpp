#include "cuda/tensors.h"

#include <c10/core/impl/VirtualGuardImpl.h>

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
  const at::Tensor exact = at::tensor(at::ArrayRef<double>(values.data(), values.size()));
  if (!device.is_cuda()) return exact.to(type);
  const at::Tensor host = at::empty({exact.size(0)}, at::TensorOptions().dtype(type).pinned_memory(true));
  host.copy_(exact);
  return host.to(device, /*non_blocking=*/true);
}

at::ScalarType scalar_type_of(Precision precision) {
  switch (precision) {
    case Precision::bfloat16:
      return at::kBFloat16;
    case Precision::float16:
      return at::kHalf;
    case Precision::float32:
      break;
  }
  return at::kFloat;
}

}  // namespace crane::cuda
