// The Gaussian over an anomaly map, where the map is.
#pragma once

#include "tensors/torch_headers.h"

namespace crane {

// map [H, W] float32 on any device -> the smoothed map, contiguous on the CPU. The CUDA face
// (image/gaussian_cuda.h) gives the bits of the CPU's (image/map.h).
at::Tensor smooth_map(const at::Tensor& map, double sigma_px);

// maps [B, H, W] float32 -> the smoothed maps; they stay on a GPU that has the kernel.
at::Tensor smooth_maps(const at::Tensor& maps, double sigma_px);

}  // namespace crane
