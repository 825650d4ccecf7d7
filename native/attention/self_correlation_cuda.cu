// Each block owns 128 rows of one head and runs once over all keys for each softmax: scores of 64 keys on the
// tensor cores, online softmax, product with v, the normalised results added in shared memory.
//
// Why not one product with v, as on the CPU: the weights of three softmaxes can be added only when their sums
// are known, and that takes the scores twice. Counted in products of N x N x 64 a head, that is 7 products
// and 6 exponentials of each score, against 6 products and 3 exponentials for three passes that each multiply
// with v. With heads of 64 an exponential (16 a clock of a multiprocessor) costs as much as a product on a
// tensor core, so the second way does less of both. Using the symmetry of the scores for the sums would
// leave 5.5 products and 4.5 exponentials.
#include <cuda_runtime.h>

#include "attention/self_correlation_cuda.h"
#include "cuda/launch.cuh"
#include "cuda/swizzle.cuh"
#include "cuda/warp_mma.cuh"

namespace crane::attention {
namespace {

using namespace cuda;

constexpr int k_width = 64;  // of a head
constexpr int k_warps = 4;
constexpr int k_threads = 32 * k_warps;
constexpr int k_warp_rows = 32;  // two products of 16 rows share each load of keys
constexpr int k_rows = k_warps * k_warp_rows;
constexpr int k_keys = 64;
constexpr int k_stages = 2;
constexpr float k_log2_e = 1.4426950408889634F;

constexpr int k_row_bytes = k_rows * k_width * 2;
constexpr int k_key_bytes = k_keys * k_width * 2;
constexpr int k_sum_bytes = k_rows * k_width * 4;

// Rows [first, first + count) of one head, what lies beyond `rows` as zeros.
template <int k_count>
__device__ __forceinline__ void load_rows(unsigned char* tile, const HeadRowsCuda& src, int64_t picture,
                                          int64_t head, int64_t first, int64_t rows) {
  const auto* base =
      static_cast<const uint16_t*>(src.data) + picture * src.picture_stride + head * src.head_stride;
  for (int i = threadIdx.x; i < k_count * 8; i += k_threads) {
    const int row = i / 8;
    const bool is_there = first + row < rows;
    copy_async(tile + swizzled<8>(row, i % 8),
               base + (is_there ? first + row : 0) * src.row_stride + i % 8 * 8, is_there);
  }
}

// A fragments of a warp's 32 rows, elements [16 step, 16 step + 16).
__device__ __forceinline__ void load_fragments(uint32_t (&a)[2][4], const unsigned char* rows, int step,
                                               int lane) {
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    load_matrices(a[half], rows + swizzled<8>(16 * half + lane % 16, 2 * step + lane / 16));
  }
}

template <typename T, int k_members>
__global__ void __launch_bounds__(k_threads, 2) self_correlation(const SelfCorrelationCuda job) {
  constexpr bool k_keeps_rows = k_members == 1;  // the rows' fragments stay in registers
  unsigned char* const row_tile = block_memory();
  unsigned char* const key_tiles = row_tile + k_members * k_row_bytes;
  unsigned char* const value_tiles = key_tiles + k_stages * k_members * k_key_bytes;
  auto* const total = reinterpret_cast<float*>(value_tiles + k_stages * k_key_bytes);

  const int lane = threadIdx.x % 32;
  const int warp = threadIdx.x / 32;
  const int64_t first_row = static_cast<int64_t>(blockIdx.x) * k_rows;
  const int64_t head = blockIdx.y;
  const int64_t picture = blockIdx.z;
  const int tiles = static_cast<int>((job.rows + k_keys - 1) / k_keys);
  const int softmaxes = job.is_joined ? 1 : job.member_count;
  const float scale = job.scale * k_log2_e;

  for (int softmax = 0; softmax < softmaxes; ++softmax) {
    const HeadRowsCuda* const members = job.members + softmax;
    // v v^T v reads one tile for both
    const bool keys_are_values = k_members == 1 && members[0].data == job.values.data;
    const auto load_keys = [&](int tile) {
      const int stage = tile % k_stages;
      const int64_t first = static_cast<int64_t>(tile) * k_keys;
#pragma unroll
      for (int m = 0; m < k_members; ++m) {
        load_rows<k_keys>(key_tiles + (stage * k_members + m) * k_key_bytes, members[m], picture, head, first,
                          job.rows);
      }
      if (!keys_are_values) {
        load_rows<k_keys>(value_tiles + stage * k_key_bytes, job.values, picture, head, first, job.rows);
      }
    };
#pragma unroll
    for (int m = 0; m < k_members; ++m) {
      load_rows<k_rows>(row_tile + m * k_row_bytes, members[m], picture, head, first_row, job.rows);
    }
    load_keys(0);
    copy_async_commit();

    uint32_t rows[4][2][4];
    float out[2][8][4] = {};
    // of rows g and g + 8 of each half; the sums are of this lane's columns alone
    float largest[2][2] = {{-INFINITY, -INFINITY}, {-INFINITY, -INFINITY}};
    float sum[2][2] = {};

    for (int tile = 0; tile < tiles; ++tile) {
      if (tile + 1 < tiles) load_keys(tile + 1);
      copy_async_commit();
      copy_async_wait<1>();
      sync_block();
      if (k_keeps_rows && tile == 0) {
#pragma unroll
        for (int step = 0; step < 4; ++step) {
          load_fragments(rows[step], row_tile + warp * k_warp_rows * 128, step, lane);
        }
      }

      const int stage = tile % k_stages;
      float score[2][8][4] = {};
#pragma unroll
      for (int m = 0; m < k_members; ++m) {
        const unsigned char* const keys = key_tiles + (stage * k_members + m) * k_key_bytes;
#pragma unroll
        for (int step = 0; step < 4; ++step) {
          uint32_t loaded[2][4];
          if (!k_keeps_rows) {
            load_fragments(loaded, row_tile + m * k_row_bytes + warp * k_warp_rows * 128, step, lane);
          }
          const uint32_t(&a)[2][4] = k_keeps_rows ? rows[step] : loaded;
#pragma unroll
          for (int n = 0; n < 8; n += 2) {
            uint32_t b[4];
            load_matrices(b, keys + swizzled<8>(8 * n + lane / 16 * 8 + lane % 8, 2 * step + lane / 8 % 2));
#pragma unroll
            for (int half = 0; half < 2; ++half) {
              multiply_add<T>(score[half][n], a[half], b[0], b[1]);
              multiply_add<T>(score[half][n + 1], a[half], b[2], b[3]);
            }
          }
        }
      }

      if (tile + 1 == tiles) {
        const int valid = static_cast<int>(job.rows - static_cast<int64_t>(tile) * k_keys);
#pragma unroll
        for (int n = 0; n < 8; ++n) {
#pragma unroll
          for (int i = 0; i < 4; ++i) {
            if (8 * n + 2 * (lane % 4) + i % 2 < valid) continue;
            score[0][n][i] = -INFINITY;
            score[1][n][i] = -INFINITY;
          }
        }
      }

#pragma unroll
      for (int half = 0; half < 2; ++half) {
#pragma unroll
        for (int r = 0; r < 2; ++r) {
          float most = largest[half][r];
#pragma unroll
          for (int n = 0; n < 8; ++n) {
            most = fmaxf(most, fmaxf(score[half][n][2 * r], score[half][n][2 * r + 1]));
          }
          most = fmaxf(most, lane_xor(most, 1));
          most = fmaxf(most, lane_xor(most, 2));
          const float shift = most * scale;
          const float faded = fast_exp2(largest[half][r] * scale - shift);
          largest[half][r] = most;
          float added = 0;
#pragma unroll
          for (int n = 0; n < 8; ++n) {
#pragma unroll
            for (int i = 2 * r; i < 2 * r + 2; ++i) {
              score[half][n][i] = fast_exp2(score[half][n][i] * scale - shift);
              added += score[half][n][i];
              out[half][n][i] *= faded;
            }
          }
          sum[half][r] = sum[half][r] * faded + added;
        }
      }

      const unsigned char* const values =
          keys_are_values ? key_tiles + stage * k_members * k_key_bytes : value_tiles + stage * k_key_bytes;
#pragma unroll
      for (int step = 0; step < 4; ++step) {
        // C of two neighbouring products of 8 columns is A of one of 16
        uint32_t a[2][4];
#pragma unroll
        for (int half = 0; half < 2; ++half) {
#pragma unroll
          for (int i = 0; i < 4; ++i) {
            const float* pair = score[half][2 * step + i / 2] + i % 2 * 2;
            a[half][i] = pack<T>(pair[0], pair[1]);
          }
        }
#pragma unroll
        for (int n = 0; n < 8; n += 2) {
          uint32_t b[4];
          load_matrices_transposed(b, values + swizzled<8>(16 * step + lane % 16, n + lane / 16));
#pragma unroll
          for (int half = 0; half < 2; ++half) {
            multiply_add<T>(out[half][n], a[half], b[0], b[1]);
            multiply_add<T>(out[half][n + 1], a[half], b[2], b[3]);
          }
        }
      }
      sync_block();  // the next round's copies go where this one read
    }

    // The last softmax leaves its sum in `out`, the others in shared memory, each thread its own places.
    const bool is_last = softmax + 1 == softmaxes;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
#pragma unroll
      for (int r = 0; r < 2; ++r) {
        float whole = sum[half][r];
        whole += lane_xor(whole, 1);
        whole += lane_xor(whole, 2);
        const float factor = 1.0F / whole;
#pragma unroll
        for (int n = 0; n < 8; ++n) {
#pragma unroll
          for (int i = 2 * r; i < 2 * r + 2; ++i) {
            float* const place = total + ((half * 8 + n) * 4 + i) * k_threads + threadIdx.x;
            float value = out[half][n][i] * factor;
            if (softmax > 0) value += *place;
            if (!is_last) *place = value;
            out[half][n][i] = value;
          }
        }
      }
    }
    if (!is_last) continue;

    // Through the warp's own part of the row tile, so that whole rows of 128 bytes go out.
    unsigned char* const own = row_tile + warp * k_warp_rows * 128;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
#pragma unroll
      for (int n = 0; n < 8; ++n) {
#pragma unroll
        for (int r = 0; r < 2; ++r) {
          const int row = 16 * half + 8 * r + lane / 4;
          *reinterpret_cast<uint32_t*>(own + swizzled<8>(row, n) + lane % 4 * 4) =
              pack<T>(out[half][n][2 * r], out[half][n][2 * r + 1]);
        }
      }
    }
    sync_warp();
    auto* const dst =
        static_cast<uint16_t*>(job.dst) + picture * job.dst_picture_stride + head * k_width + lane % 8 * 8;
    for (int row = lane / 8; row < k_warp_rows; row += 4) {
      const int64_t place = first_row + warp * k_warp_rows + row;
      if (place >= job.rows) break;
      *reinterpret_cast<uint4*>(dst + place * job.dst_row_stride) =
          *reinterpret_cast<const uint4*>(own + swizzled<8>(row, lane % 8));
    }
  }
}

template <typename T>
void run(const SelfCorrelationCuda& job, void* stream) {
  const int members = job.is_joined ? job.member_count : 1;
  const LaunchGrid grid{dim3(static_cast<unsigned>((job.rows + k_rows - 1) / k_rows),
                             static_cast<unsigned>(job.heads), static_cast<unsigned>(job.pictures)),
                        k_threads,
                        static_cast<size_t>(members * k_row_bytes + k_stages * (members + 1) * k_key_bytes +
                                            (!job.is_joined && job.member_count > 1 ? k_sum_bytes : 0))};
  launch("E-Attn", members == 1 ? self_correlation<T, 1> : self_correlation<T, 3>, grid, stream, job);
}

}  // namespace

void self_correlation_cuda(const SelfCorrelationCuda& job, cuda::Element element, void* stream) {
  CRANE_CHECK_INVARIANT(job.member_count >= 1 && job.member_count <= 3 &&
                            (!job.is_joined || job.member_count == 3) && job.scale > 0,
                        job.member_count, " members, scale ", job.scale);
  if (job.pictures == 0 || job.rows == 0) return;
  if (element == Element::bf16) {
    run<Bf16>(job, stream);
  } else {
    run<Fp16>(job, stream);
  }
}

}  // namespace crane::attention
