// Each block owns 64 rows and 512 columns of the values and runs once over the keys, 64 at a time: cosines on
// the tensor cores, mask, exponentials, product with the values. Wider values take several blocks, which
// compute the cosines again: 2.9 GFLOP a picture each, of more than 1,600. Unit rows keep the exponent below
// `gain`, so no running maximum is needed (kernels/affinity_panels.h). Where no row of the block keeps any of
// the 64 keys, the product is skipped.
#include <cuda_runtime.h>

#include "attention/affinity_cuda.h"
#include "cuda/launch.cuh"
#include "cuda/swizzle.cuh"
#include "cuda/warp_mma.cuh"

namespace crane::attention {
namespace {

using namespace cuda;

constexpr int k_warps = 8;
constexpr int k_threads = 32 * k_warps;
constexpr int k_rows = 64;
constexpr int k_keys = 64;
constexpr int k_depth = 64;     // elements of the features at a time
constexpr int k_columns = 512;  // 64 for each warp
constexpr int k_stages = 2;
constexpr float k_log2_e = 1.4426950408889634F;

constexpr int k_part_bytes = k_rows * k_depth * 2;  // of rows, of keys, of weights
constexpr int k_value_bytes = k_keys * k_columns * 2;
constexpr int k_block_bytes = k_stages * 2 * k_part_bytes + k_value_bytes + 2 * k_rows * 4;

// 64 rows from `first` on, elements [from, from + 64).
__device__ __forceinline__ void load_part(unsigned char* tile, const uint16_t* src, int64_t first,
                                          int64_t rows, int64_t depth, int from) {
  for (int i = threadIdx.x; i < k_rows * 8; i += k_threads) {
    const int row = i / 8;
    const bool is_there = first + row < rows;
    copy_async(tile + swizzled<8>(row, i % 8), src + (is_there ? first + row : 0) * depth + from + i % 8 * 8,
               is_there);
  }
}

template <typename T>
__global__ void __launch_bounds__(k_threads, 1) affinity(const AffinityCuda job) {
  unsigned char* const parts = block_memory();  // [stage]: rows, keys
  // The weights lie where the features of the same keys were, so that a block fits the 99 KB of smaller GPUs.
  unsigned char* const weights = parts;
  unsigned char* const value_tile = parts + k_stages * 2 * k_part_bytes;
  auto* const sums = reinterpret_cast<float*>(value_tile + k_value_bytes);  // [2][k_rows]

  const int lane = threadIdx.x % 32;
  const int warp = threadIdx.x / 32;
  const int64_t first_row = static_cast<int64_t>(blockIdx.x) * k_rows;
  const int first_column = static_cast<int>(blockIdx.y) * k_columns;
  const int64_t picture = blockIdx.z;
  const auto* features = static_cast<const uint16_t*>(job.features) + picture * job.rows * job.depth;
  const auto* values = static_cast<const uint16_t*>(job.values) + picture * job.values_picture_stride;
  const float shift = static_cast<float>(job.beta * job.means[picture]);
  const int steps = static_cast<int>(job.depth / k_depth);

  // Of the cosines a warp makes 16 rows and 32 keys, of the result all rows and 64 columns.
  const int own_rows = warp % 4 * 16;
  const int own_keys = warp / 4 * 32;
  const int own_columns = warp * 64;
  const bool has_columns = first_column + own_columns < job.width;

  float out[4][8][4] = {};
  float sum[2] = {};  // rows g and g + 8 of own_rows, this lane's keys alone

  for (int64_t first_key = 0; first_key < job.rows; first_key += k_keys) {
    for (int i = threadIdx.x; i < k_keys * (k_columns / 8); i += k_threads) {
      const int key = i / (k_columns / 8);
      const int piece = i % (k_columns / 8);
      const bool is_there = first_key + key < job.rows && first_column + piece * 8 < job.width;
      copy_async(
          value_tile + swizzled<k_columns / 8>(key, piece),
          is_there ? values + (first_key + key) * job.values_row_stride + first_column + piece * 8 : values,
          is_there);
    }
    const auto load_step = [&](int step) {
      unsigned char* const tile = parts + step % k_stages * 2 * k_part_bytes;
      load_part(tile, features, first_row, job.rows, job.depth, step * k_depth);
      load_part(tile + k_part_bytes, features, first_key, job.rows, job.depth, step * k_depth);
    };
    load_step(0);
    copy_async_commit();

    float score[4][4] = {};
    for (int step = 0; step < steps; ++step) {
      if (step + 1 < steps) load_step(step + 1);
      copy_async_commit();
      copy_async_wait<1>();
      sync_block();
      const unsigned char* const rows = parts + step % k_stages * 2 * k_part_bytes;
      const unsigned char* const keys = rows + k_part_bytes;
#pragma unroll
      for (int k = 0; k < 4; ++k) {
        uint32_t a[4];
        load_matrices(a, rows + swizzled<8>(own_rows + lane % 16, 2 * k + lane / 16));
#pragma unroll
        for (int n = 0; n < 4; n += 2) {
          uint32_t b[4];
          load_matrices(
              b, keys + swizzled<8>(own_keys + 8 * n + lane / 16 * 8 + lane % 8, 2 * k + lane / 8 % 2));
          multiply_add<Fp16>(score[n], a, b[0], b[1]);
          multiply_add<Fp16>(score[n + 1], a, b[2], b[3]);
        }
      }
      sync_block();  // the next copies go where this step read
    }

    bool is_kept = false;
#pragma unroll
    for (int n = 0; n < 4; ++n) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const int key = own_keys + 8 * n + 2 * (lane % 4) + i % 2;
        const bool is_there = first_key + key < job.rows;
        const float affine = (score[n][i] - shift) * job.gain;
        // NaN is kept, as by the definition
        const float weight = !is_there || affine < 0.0F ? 0.0F : fast_exp2(affine * k_log2_e);
        const bool is_row = first_row + own_rows + i / 2 * 8 + lane / 4 < job.rows;
        is_kept = is_kept || (is_row && weight != 0.0F);
        score[n][i] = weight;
        sum[i / 2] += weight;
      }
#pragma unroll
      for (int r = 0; r < 2; ++r) {
        *reinterpret_cast<uint32_t*>(weights + swizzled<8>(own_rows + 8 * r + lane / 4, own_keys / 8 + n) +
                                     lane % 4 * 4) = pack<T>(score[n][2 * r], score[n][2 * r + 1]);
      }
    }
    // Also the barrier between writing the weights and reading them.
    if (any_of_block(is_kept) && has_columns) {
#pragma unroll
      for (int k = 0; k < 4; ++k) {
        uint32_t a[4][4];
#pragma unroll
        for (int m = 0; m < 4; ++m) {
          load_matrices(a[m], weights + swizzled<8>(16 * m + lane % 16, 2 * k + lane / 16));
        }
#pragma unroll
        for (int n = 0; n < 8; n += 2) {
          uint32_t b[4];
          load_matrices_transposed(
              b, value_tile + swizzled<k_columns / 8>(16 * k + lane % 16, own_columns / 8 + n + lane / 16));
#pragma unroll
          for (int m = 0; m < 4; ++m) {
            multiply_add<T>(out[m][n], a[m], b[0], b[1]);
            multiply_add<T>(out[m][n + 1], a[m], b[2], b[3]);
          }
        }
      }
    }
    sync_block();  // the next copies go where this round read
  }

#pragma unroll
  for (int r = 0; r < 2; ++r) {
    float whole = sum[r];
    whole += lane_xor(whole, 1);
    whole += lane_xor(whole, 2);
    if (lane % 4 == 0) sums[warp / 4 * k_rows + own_rows + 8 * r + lane / 4] = whole;
  }
  sync_block();
  auto* const dst = static_cast<uint16_t*>(job.dst) + picture * job.rows * job.width;
#pragma unroll
  for (int m = 0; m < 4; ++m) {
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      const int row = 16 * m + 8 * r + lane / 4;
      const int64_t place = first_row + row;
      if (place >= job.rows) continue;
      const float whole = sums[row] + sums[k_rows + row];
      const float factor = 1.0F / whole;  // a weight that is kept is at least exp(0)
#pragma unroll
      for (int n = 0; n < 8; ++n) {
        const int column = first_column + own_columns + 8 * n;
        if (column >= job.width) continue;
        const int64_t at = column + lane % 4 * 2;
        // 0 / 0 is the NaN that was asked for where a row does not keep itself
        const bool takes_itself = whole == 0.0F && job.keeps_self;
        *reinterpret_cast<uint32_t*>(dst + place * job.width + at) =
            takes_itself ? *reinterpret_cast<const uint32_t*>(values + place * job.values_row_stride + at)
                         : pack<T>(out[m][n][2 * r] * factor, out[m][n][2 * r + 1] * factor);
      }
    }
  }
}

}  // namespace

void affinity_cuda(const AffinityCuda& job, cuda::Element element, void* stream) {
  CRANE_CHECK_INVARIANT(job.depth % k_depth == 0 && job.depth > 0 && job.width % 8 == 0, "features of ",
                        job.depth, ", values of ", job.width);
  if (job.pictures == 0 || job.rows == 0) return;
  const LaunchGrid grid{dim3(static_cast<unsigned>((job.rows + k_rows - 1) / k_rows),
                             static_cast<unsigned>((job.width + k_columns - 1) / k_columns),
                             static_cast<unsigned>(job.pictures)),
                        k_threads, k_block_bytes};
  launch("D-Attn", element == Element::bf16 ? affinity<Bf16> : affinity<Fp16>, grid, stream, job);
}

}  // namespace crane::attention
