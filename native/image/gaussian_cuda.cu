#include <cuda_runtime.h>

#include "cuda/launch.cuh"
#include "image/gaussian_cuda.h"

namespace crane::image {
namespace {

constexpr int k_threads = 256;

// d c b a | a b c d | d c b a. The while loop runs once, unless the radius exceeds the line.
__device__ int64_t reflected(int64_t index, int64_t size) {
  while (index < 0 || index >= size) index = index < 0 ? -1 - index : 2 * size - 1 - index;
  return index;
}

// One thread per sample. line: samples along the filtered axis; step: distance of neighbours on it (width for
// columns, 1 for rows). A sample is read 2 radius + 1 times, from the cache: neighbouring threads read
// neighbouring addresses on both axes. The whole filter moves 6 MB a picture of 518 x 518, which is nothing
// beside the forward pass, so there is no tile in shared memory.
//
// The order of the additions is the centre, then from the farthest pair to the nearest, and products are
// rounded before they are added (no fused multiply-add): the bits of the CPU's faces.
struct BlurAxis {
  const float* src;
  float* dst;
  int64_t count;
  int64_t line;
  int64_t step;
  const double* weights;
  int64_t radius;
};

__global__ void blur_axis(const BlurAxis job) {
  const auto [src, dst, count, line, step, weights, radius] = job;
  const int64_t stride = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += stride) {
    const int64_t place = (i / step) % line;
    const float* start = src + (i - place * step);
    double sum = __dmul_rn(static_cast<double>(src[i]), weights[0]);
    for (int64_t j = radius; j >= 1; --j) {
      const double before = start[reflected(place - j, line) * step];
      const double after = start[reflected(place + j, line) * step];
      sum = __dadd_rn(sum, __dmul_rn(__dadd_rn(before, after), weights[j]));
    }
    dst[i] = static_cast<float>(sum);
  }
}

}  // namespace

void gaussian_blur_cuda(const float* src, float* between, float* dst, int64_t batch, int64_t height,
                        int64_t width, const double* weights, int64_t radius, void* stream) {
  const int64_t count = batch * height * width;
  if (count == 0) return;
  constexpr int64_t k_most_blocks = 1 << 20;  // beyond it a thread takes several samples
  const int64_t needed = (count + k_threads - 1) / k_threads;
  const cuda::LaunchGrid grid{dim3(static_cast<unsigned>(needed < k_most_blocks ? needed : k_most_blocks)),
                              k_threads};
  const BlurAxis columns{src, between, count, /*line=*/height, /*step=*/width, weights, radius};
  cuda::launch("Gaussian down the columns", blur_axis, grid, stream, columns);
  const BlurAxis rows{between, dst, count, /*line=*/width, /*step=*/1, weights, radius};
  cuda::launch("Gaussian along the rows", blur_axis, grid, stream, rows);
}

}  // namespace crane::image
