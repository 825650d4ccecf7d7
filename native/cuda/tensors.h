// Between tensors and the kernels of a GPU.
#pragma once

#include <optional>
#include <span>

#include "core/precision.h"
#include "cuda/element.h"
#include "cuda/kernels.h"
#include "tensors/torch_headers.h"

namespace crane::cuda {

// Whether work on this device goes to the kernels: a CUDA device with kernels compiled in (or emulated ones).
bool has_kernels(at::Device device);

// Whether whole batches run at once on this device instead of picture by picture.
bool runs_batches(at::Device device);

// The kernels' name of a tensor's format; none for other formats.
std::optional<Element> element_of(const at::Tensor& x);

// The stream libtorch puts work of this device on; null (also CUDA's default stream) on a CPU.
void* current_stream(at::Device device);

// Few numbers as a tensor [count] of `type` on the device, not to be changed: constants of a model or a
// setting. On a GPU they are sent once and kept, since a copy from the host would wait for everything that
// was enqueued before.
at::Tensor numbers_on(std::span<const double> values, at::ScalarType type, at::Device device);

// bfloat16 or half.
at::ScalarType scalar_type_of(Precision precision);

}  // namespace crane::cuda
