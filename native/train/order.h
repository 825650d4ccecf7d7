// The order in which the reference's loader hands out pictures (method.md 7, "Order").
#pragma once

#include <cstdint>
#include <vector>

namespace crane::train {

// Order of `count` pictures in epoch `epoch` (from 0). Per epoch the seeded generator draws one 64-bit
// integer, the permutation that is used, and one that is thrown away. Uses libtorch's generator, so that the
// numbers agree.
std::vector<int32_t> reference_order(uint64_t seed, int64_t count, int64_t epoch);

}  // namespace crane::train
