// Local-to-global fusion and the anomaly map (method.md 6).
#pragma once

#include "tensors/torch_headers.h"
#include "tensors/trace.h"

namespace crane::methods {

// maps [m, B, n, D], pixel_logits [m, B, n, 2], global [B, D] unit rows -> g+ [B, D] unit rows.
at::Tensor fuse(const at::Tensor& maps, const at::Tensor& pixel_logits, const at::Tensor& global,
                Trace* trace);

// pixel_logits [m, B, n, 2] on a grid -> probability of an anomaly [B, height, width].
at::Tensor anomaly_map(const at::Tensor& pixel_logits, int64_t grid_height, int64_t grid_width,
                       int64_t height, int64_t width, bool soft_mean);

}  // namespace crane::methods
