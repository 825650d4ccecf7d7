// Tensors by name, in an order that counts.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tensors/torch_headers.h"

namespace crane::methods {

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

}  // namespace crane::methods
