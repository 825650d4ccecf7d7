// From features to logits and from cells to pixels: what every method with text vectors does.
#pragma once

#include "tensors/torch_headers.h"
#include "vision/spatial_source.h"

namespace crane::methods {

// Equation (1) of the paper: cosines with the text vectors over a temperature. features [..., n, D] unit
// rows, text [B, k, D] or [k, D] unit rows (broadcast over the picture axis) -> [..., n, k].
at::Tensor text_logits(const at::Tensor& features, const at::Tensor& text, double temperature);

// cells [B, n, C] on a grid, row by row -> [B, C, height, width], bilinear.
at::Tensor upsampled(const at::Tensor& cells, vision::Grid grid, int64_t height, int64_t width,
                     bool align_corners);

}  // namespace crane::methods
