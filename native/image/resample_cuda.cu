// One thread a sample. A picture of a megapixel and its taps stay in the second-level cache, and the whole
// resize is a thousandth of the forward pass' arithmetic: no tiles in shared memory.
#include <cuda_runtime.h>

#include "cuda/launch.cuh"
#include "image/resample_cuda.h"
#include "image/taps.h"

namespace crane::image {
namespace {

constexpr int k_threads = 256;
constexpr int32_t k_half = 1 << (FixedTaps::k_fraction_bits - 1);

__device__ __forceinline__ uint8_t to_u8(int32_t sum) {
  const int32_t value = sum >> FixedTaps::k_fraction_bits;
  return static_cast<uint8_t>(value < 0 ? 0 : value > 255 ? 255 : value);
}

__global__ void __launch_bounds__(k_threads) resample_axis(const ResampleCuda job) {
  const int64_t width = job.along_x ? job.taps.count : job.width;
  const int64_t height = job.along_x ? job.height : job.taps.count;
  const int64_t i = static_cast<int64_t>(blockIdx.x) * k_threads + threadIdx.x;
  if (i >= height * width * job.channels) return;
  const int64_t channel = i % job.channels;
  const int64_t x = i / job.channels % width;
  const int64_t y = i / job.channels / width;
  const int64_t output = job.along_x ? x : y;
  const int64_t step = job.along_x ? job.channels : job.width * job.channels;
  const int64_t begin = job.taps.first[output];
  const uint8_t* src = job.along_x ? job.src + (y * job.width + begin) * job.channels + channel
                                   : job.src + (begin * job.width + x) * job.channels + channel;
  const int32_t* const weights = job.taps.weights + output * job.taps.stride;
  const int32_t number = job.taps.number[output];
  int32_t sum = k_half;
  for (int32_t t = 0; t < number; ++t, src += step) sum += *src * weights[t];
  job.dst[i] = to_u8(sum);
}

__global__ void __launch_bounds__(k_threads) normalise_pixels(const NormaliseCuda job) {
  const int64_t plane = job.height * job.width;
  const int64_t i = static_cast<int64_t>(blockIdx.x) * k_threads + threadIdx.x;
  if (i >= plane) return;
#pragma unroll
  for (int c = 0; c < 3; ++c) {
    const uint8_t value = job.channels == 3 ? job.src[i * 3 + c] : job.src[i];
    const float scaled = __fdiv_rn(static_cast<float>(value), 255.0F);
    job.dst[c * plane + i] = __fdiv_rn(__fsub_rn(scaled, job.mean[c]), job.std[c]);
  }
}

cuda::LaunchGrid grid_for(int64_t samples) {
  return {dim3(static_cast<unsigned>((samples + k_threads - 1) / k_threads)), k_threads};
}

}  // namespace

void resample_cuda(const ResampleCuda& job, void* stream) {
  const int64_t samples =
      (job.along_x ? job.height * job.taps.count : job.taps.count * job.width) * job.channels;
  if (samples > 0) cuda::launch("resize", resample_axis, grid_for(samples), stream, job);
}

void normalise_cuda(const NormaliseCuda& job, void* stream) {
  CRANE_CHECK_INVARIANT(job.channels == 1 || job.channels == 3, "got ", job.channels, " channels");
  const int64_t pixels = job.height * job.width;
  if (pixels > 0) cuda::launch("normalisation", normalise_pixels, grid_for(pixels), stream, job);
}

}  // namespace crane::image
