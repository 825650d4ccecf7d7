// From windows to cells: the harmonic mean of normal probabilities, and what a picture shares with normal
// ones.
#pragma once

#include <vector>

#include "vision/spatial_source.h"

namespace crane::methods::winclip {

// values [B, W] of the windows of one side -> of every cell the mean over the windows that cover it,
// [B, grid.height, grid.width].
at::Tensor mean_of_covering(const at::Tensor& values, vision::Grid grid, int64_t side);

// normal: for each side [B, W], the probability that a window is normal -> [B, height, width] within [0, 1]:
//   u_s(cell) = mean over the windows of side s that cover it of 1 / p;  M = 1 - 1 / mean_s u_s
at::Tensor textual_map(const std::vector<at::Tensor>& normal, vision::Grid grid,
                       const std::vector<int64_t>& sides);

// features [W, D] of one picture, gallery [G, D], unit rows -> how far each window is from its nearest,
// [W] within [0, 1]: (1 - max cosine) / 2.
at::Tensor distances(const at::Tensor& features, const at::Tensor& gallery);

// 1 / (1 / a + 1 / b), 0 where either is.
at::Tensor harmonic_fusion(const at::Tensor& a, const at::Tensor& b);

}  // namespace crane::methods::winclip
