// All three move memory and little else: a lane takes four neighbours at a time.
#include <cuda_runtime.h>

#include "cuda/launch.cuh"
#include "cuda/warp_mma.cuh"
#include "layers/rows_cuda.h"

namespace crane::layers {
namespace {

using namespace cuda;

constexpr int k_threads = 256;
constexpr int k_rows_of_block = k_threads / 32;
constexpr float k_log2_e = 1.4426950408889634F;

__device__ __forceinline__ float sum_of_warp(float x) {
#pragma unroll
  for (int mask = 16; mask > 0; mask /= 2) x += lane_xor(x, mask);
  return x;
}

// One warp a row, which stays in registers: k_pieces times 32 lanes times 4 elements.
template <typename T, int k_pieces>
__global__ void __launch_bounds__(k_threads) normalise_rows(const NormaliseRowsCuda job) {
  const int lane = threadIdx.x % 32;
  const int64_t row = static_cast<int64_t>(blockIdx.x) * k_rows_of_block + threadIdx.x / 32;
  if (row >= job.rows) return;  // the whole warp
  const float* const src = job.src + row * job.src_stride;
  float4 x[k_pieces];
  float sum = 0;
#pragma unroll
  for (int i = 0; i < k_pieces; ++i) {
    const int64_t at = (i * 32 + lane) * 4;
    x[i] = at < job.width ? *reinterpret_cast<const float4*>(src + at) : make_float4(0, 0, 0, 0);
    sum += (x[i].x + x[i].y) + (x[i].z + x[i].w);
  }
  const float mean = sum_of_warp(sum) / static_cast<float>(job.width);
  float squares = 0;
#pragma unroll
  for (int i = 0; i < k_pieces; ++i) {
    if ((i * 32 + lane) * 4 >= job.width) continue;
    const float a = x[i].x - mean;
    const float b = x[i].y - mean;
    const float c = x[i].z - mean;
    const float d = x[i].w - mean;
    squares += (a * a + b * b) + (c * c + d * d);
  }
  const float factor = 1.0F / sqrtf(sum_of_warp(squares) / static_cast<float>(job.width) + job.eps);
  auto* const dst = static_cast<uint16_t*>(job.dst) + row * job.width;
#pragma unroll
  for (int i = 0; i < k_pieces; ++i) {
    const int64_t at = (i * 32 + lane) * 4;
    if (at >= job.width) continue;
    const float4 w = *reinterpret_cast<const float4*>(job.weight + at);
    const float4 b = *reinterpret_cast<const float4*>(job.bias + at);
    *reinterpret_cast<uint2*>(dst + at) =
        make_uint2(pack<T>((x[i].x - mean) * factor * w.x + b.x, (x[i].y - mean) * factor * w.y + b.y),
                   pack<T>((x[i].z - mean) * factor * w.z + b.z, (x[i].w - mean) * factor * w.w + b.w));
  }
}

template <typename T>
__global__ void __launch_bounds__(k_threads) add_rows(const AddRowsCuda job) {
  const int64_t pieces = job.width / 4;
  const int64_t i = static_cast<int64_t>(blockIdx.x) * k_threads + threadIdx.x;
  if (i >= job.rows * pieces) return;
  auto* const place = reinterpret_cast<float4*>(job.stream + i / pieces * job.stream_stride + i % pieces * 4);
  const uint2 update = static_cast<const uint2*>(job.update)[i];
  const float2 low = unpack<T>(update.x);
  const float2 high = unpack<T>(update.y);
  const float4 x = *place;
  *place = make_float4(x.x + low.x, x.y + low.y, x.z + high.x, x.w + high.y);
}

__device__ __forceinline__ float activated(float x, bool is_quick) {
  if (is_quick) return x / (1.0F + fast_exp2(-1.702F * k_log2_e * x));
  return 0.5F * x * (1.0F + erff(x * 0.70710678118654752F));
}

template <typename T>
__global__ void __launch_bounds__(k_threads) activate(const ActivateCuda job) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * k_threads + threadIdx.x;
  if (i >= job.count / 4) return;
  auto* const place = static_cast<uint2*>(job.values) + i;
  const uint2 packed = *place;
  const float2 low = unpack<T>(packed.x);
  const float2 high = unpack<T>(packed.y);
  *place = make_uint2(pack<T>(activated(low.x, job.is_quick), activated(low.y, job.is_quick)),
                      pack<T>(activated(high.x, job.is_quick), activated(high.y, job.is_quick)));
}

LaunchGrid grid_for(int64_t threads) {
  return {dim3(static_cast<unsigned>((threads + k_threads - 1) / k_threads)), k_threads};
}

}  // namespace

void normalise_rows_cuda(const NormaliseRowsCuda& job, cuda::Element element, void* stream) {
  CRANE_CHECK_INVARIANT(job.width % 4 == 0 && job.width <= k_widest_row_cuda, "rows of ", job.width);
  if (job.rows == 0) return;
  const LaunchGrid grid = grid_for(job.rows * 32);
  const bool is_bf16 = element == Element::bf16;
  if (job.width <= 1024) {
    launch("LayerNorm", is_bf16 ? normalise_rows<Bf16, 8> : normalise_rows<Fp16, 8>, grid, stream, job);
  } else {
    launch("LayerNorm", is_bf16 ? normalise_rows<Bf16, 16> : normalise_rows<Fp16, 16>, grid, stream, job);
  }
}

void add_rows_cuda(const AddRowsCuda& job, cuda::Element element, void* stream) {
  CRANE_CHECK_INVARIANT(job.width % 4 == 0, "rows of ", job.width);
  if (job.rows == 0) return;
  launch("residual", element == Element::bf16 ? add_rows<Bf16> : add_rows<Fp16>,
         grid_for(job.rows * (job.width / 4)), stream, job);
}

void activate_cuda(const ActivateCuda& job, cuda::Element element, void* stream) {
  CRANE_CHECK_INVARIANT(job.count % 4 == 0, job.count, " values");
  if (job.count == 0) return;
  launch("activation", element == Element::bf16 ? activate<Bf16> : activate<Fp16>, grid_for(job.count / 4),
         stream, job);
}

}  // namespace crane::layers
