// The Gaussian over maps on a CUDA device (method.md 6): the CUDA face of gaussian_blur (image/map.h), with
// its bits, since every operation and its order are the same.
#pragma once

#include <cstdint>

namespace crane::image {

// dst[b, y, x] = Gaussian of src[b, y, x], borders reflected with the edge sample repeated. Down the columns
// first, rounded to float32, then along the rows; sums in double.
// src, between, dst: device memory, [batch, height, width] float32 contiguous, none overlapping another;
//   between is scratch of the same size.
// weights: device memory, [radius + 1] double, the centre first (gaussian_weights).
// stream: a cudaStream_t; returns at once, the result is there when the stream has come so far.
// Thread-safe. Errors: E_DEVICE when the launch fails.
void gaussian_blur_cuda(const float* src, float* between, float* dst, int64_t batch, int64_t height,
                        int64_t width, const double* weights, int64_t radius, void* stream);

}  // namespace crane::image
