// Stands in for CUDA's header when a .cu file is compiled for the CPU: the execution model of CUDA on fibres.
// A block's threads run one after the other on the caller's thread, each until it waits for others (a barrier
// or an instruction of the whole warp), warp by warp; shared memory starts as NaN, so that what was never
// written shows.
#pragma once

#ifndef CRANE_CUDA_EMULATED
#error "this cuda_runtime.h belongs to the emulated kernels of the tests"
#endif

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __restrict__ __restrict
#define __launch_bounds__(...)

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
  constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};
struct float2 {
  float x, y;
};
struct float4 {
  float x, y, z, w;
};
struct uint2 {
  unsigned x, y;
};
struct uint4 {
  unsigned x, y, z, w;
};
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }

using cudaError_t = int;
inline constexpr cudaError_t cudaSuccess = 0;
inline const char* cudaGetErrorString(cudaError_t) { return "no error"; }

namespace crane::cuda::emulated {

// Where the running fibre is.
struct Place {
  dim3 thread, block, block_size, grid_size;
};
const Place& place();

// In which order what CUDA leaves open happens. Code without a needed barrier or wait fails in one of the
// two.
enum class Schedule {
  late,   // copies happen when they are waited for; the first warp goes ahead
  early,  // copies happen at once; the last warp goes ahead
};
void set_schedule(Schedule schedule);

// Runs `thread` for every thread of every block. Errors: std::runtime_error when a block cannot end because
// some of its threads wait for others that have ended or wait elsewhere.
void run_grid(dim3 blocks, int threads, size_t block_bytes, const std::function<void()>& thread);

// Every lane of the warp (or thread of the block) gives its part and waits; the last one runs `together` over
// all parts, in order of the lanes, before any goes on. A part lives in the caller's frame.
using Together = void (*)(void* const* parts, int count);
void with_warp(void* part, Together together);
void with_block(void* part, Together together);

unsigned char* block_bytes();

// Asynchronous copies.
void queue_copy(void* dst, const void* src, bool is_there);
void close_group();
void finish_groups(int pending);

}  // namespace crane::cuda::emulated

#define threadIdx (::crane::cuda::emulated::place().thread)
#define blockIdx (::crane::cuda::emulated::place().block)
#define blockDim (::crane::cuda::emulated::place().block_size)
#define gridDim (::crane::cuda::emulated::place().grid_size)

// Rounded operations: the CPU's, compiled without contraction.
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __fsub_rn(float a, float b) { return a - b; }
inline double __dmul_rn(double a, double b) { return a * b; }
inline double __dadd_rn(double a, double b) { return a + b; }
