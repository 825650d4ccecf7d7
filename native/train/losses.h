// Focal and Dice loss on a patch grid instead of full maps: nearest upsampling repeats each cell's
// probability, so that only the cells' pixel counts matter. That is exact (method.md 7).
#pragma once

#include <cstdint>
#include <vector>

#include "tensors/torch_headers.h"
#include "train/cells.h"

namespace crane::train {

// What nearest upsampling of a grid to a mask's size assigns to each of its N cells, for the K pictures of a
// batch whose masks are known; the others count in the image loss only.
struct CellCounts {
  at::Tensor pixels;     // [N] float64
  at::Tensor anomalous;  // [K, N] float64: of these, how many the mask calls anomalous
  at::Tensor known;      // [K] int64, rows of the batch; undefined: all of them
};

// masks [B, H, W] u8 of 0 and 1, all known.
CellCounts count_cells(const at::Tensor& masks, CellGrid grid);
// For an input of height x width pixels; anomalous[b] points to the cells' counts, or is null where no mask
// is known.
CellCounts gather_cells(const std::vector<const uint32_t*>& anomalous, int64_t height, int64_t width,
                        CellGrid grid);

// Mean over all pixels of -(1 - pt)^2 log(pt). p [K, N, 2] probabilities of the pictures whose masks are
// known.
at::Tensor focal(const at::Tensor& p, const CellCounts& cells);

// 1 - mean over pictures of (2 sum(p_a y) + 1) / (sum p_a + sum y + 1).
at::Tensor dice(const at::Tensor& p, const CellCounts& cells);

}  // namespace crane::train
