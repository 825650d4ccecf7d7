// The training loss of Crane's prompts (method.md 7) from cached features: 518 x 518 maps never exist,
// because nearest upsampling repeats each cell's probability, and only the cells' pixel counts matter. That
// is exact.
#pragma once

#include <cstdint>
#include <vector>

#include "tensors/torch_headers.h"
#include "tensors/trace.h"
#include "train/cells.h"
#include "train/options.h"

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

// Frozen features of a batch.
struct Features {
  at::Tensor maps;  // [m, B, N, D] unit rows, the distinct maps
  int64_t copies =
      1;  // how many times each map is listed (method.md 3, "features"); multiplies the pixel loss
  at::Tensor global;  // [B, D] unit rows
};

// Scalars on the graph, weighted as the reference logs them: total = focal + dice + image_weight * image.
struct LossTerms {
  at::Tensor focal;
  at::Tensor dice;
  at::Tensor image;
  at::Tensor total;
};

// text [B, 2, D] unit rows, labels [B] int64 (1 anomalous).
LossTerms prompt_loss(const Features& features, const at::Tensor& text, const CellCounts& cells,
                      const at::Tensor& labels, const LossOptions& options, Trace* trace = nullptr);

}  // namespace crane::train
