// Focal and Dice loss of one map at the pixels of the model's input (method.md 7), for maps that are
// upsampled smoothly: their pixels differ within a cell, so counts of cells do not suffice.
#pragma once

#include "train/losses.h"

namespace crane::train {

// Scalars on the graph, unweighted.
struct MapLoss {
  at::Tensor focal;
  at::Tensor dice_anomalous;  // of the anomalous channel and the mask
  at::Tensor dice_normal;     // of the normal channel and its opposite
};

// p [K, 2, H, W]: probabilities (normal, anomalous) of the K pictures whose masks are known, K > 0; `pixels`
// counts every pixel by itself, [K, H * W]. `rows_of_one`: of a single picture Dice is the mean over its
// pixel rows instead of pictures, as in code that squeezes the axis of a batch of one away.
MapLoss map_loss(const at::Tensor& p, const CellCounts& pixels, bool rows_of_one);

}  // namespace crane::train
