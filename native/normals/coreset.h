// Rows of a bank that stand for all of them, as PatchCore chooses them (methods/normals.md 5).
#pragma once

#include <cstdint>
#include <vector>

#include "tensors/torch_headers.h"

namespace crane::normals {

// Indices of `count` rows, or of all where there are fewer: the first is the one farthest from the rows'
// mean, each further one the row whose nearest chosen row is farthest (greedy minimax facility location); of
// equally far ones the first. rows [R, D] unit rows in float32, contiguous, on a CPU. The choice depends on
// no thread, and is exact as nearest_cosines is.
std::vector<int64_t> farthest_first(const at::Tensor& rows, int64_t count);

}  // namespace crane::normals
