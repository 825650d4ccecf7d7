// Where pieces of 16 bytes lie in a tile of shared memory, so that the eight rows of a matrix load, one piece
// each, come from different banks.
#pragma once

#include <cuda_runtime.h>

namespace crane::cuda {

// Byte of piece `piece` of row `row` of a tile with k_pieces (a multiple of 8) pieces a row.
template <int k_pieces>
__device__ __forceinline__ int swizzled(int row, int piece) {
  return (row * k_pieces + (piece ^ (row & 7))) * 16;
}

}  // namespace crane::cuda
