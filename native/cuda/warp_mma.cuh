// The few instructions of a GPU that the kernels use beyond C++, one function each: conversions, asynchronous
// copies into shared memory, matrix loads and the tensor cores' product. Everything here is PTX of sm_80 and
// later. The tests compile the kernels for the CPU with functions of the same names that follow the register
// layouts of the PTX ISA ("Matrix Fragments for mma.m16n8k16", "ldmatrix"); see test/native/cuda/emulated.
//
// Layouts of a warp, with g = lane / 4 and t = lane % 4; a register holds two neighbours, the first one low:
//   A [16, 16]: a0 = (g, 2t), a1 = (g + 8, 2t), a2 = (g, 2t + 8), a3 = (g + 8, 2t + 8)
//   B [16, 8]:  b0 = (2t and 2t + 1, g), b1 = (2t + 8 and 2t + 9, g)
//   C [16, 8]:  c0, c1 = (g, 2t and 2t + 1), c2, c3 = (g + 8, 2t and 2t + 1)
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "cuda/element.h"

#ifdef CRANE_CUDA_EMULATED
#include "emulated_warp.h"
#else

namespace crane::cuda {

// The memory a launch gave to each of its blocks.
__device__ __forceinline__ unsigned char* block_memory() {
  extern __shared__ __align__(128) unsigned char memory[];
  return memory;
}

__device__ __forceinline__ uint32_t shared_address(const void* p) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(p));
}

// 16 bytes from global to shared memory, behind the thread's back; where `is_there` is false, zeros.
__device__ __forceinline__ void copy_async(void* dst, const void* src, bool is_there) {
  const int bytes = is_there ? 16 : 0;
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;\n" ::"r"(shared_address(dst)), "l"(src),
               "r"(bytes)
               : "memory");
}

// Closes a group of copies.
__device__ __forceinline__ void copy_async_commit() { asm volatile("cp.async.commit_group;\n" ::: "memory"); }

// Waits until at most `k_pending` of this thread's latest groups are under way.
template <int k_pending>
__device__ __forceinline__ void copy_async_wait() {
  asm volatile("cp.async.wait_group %0;\n" ::"n"(k_pending) : "memory");
}

// Four 8 x 8 matrices of 16-bit elements; lane i gives the address of row i % 8 of matrix i / 8.
// dst[m] of lane i: row i / 4, elements 2 (i % 4) and the next.
__device__ __forceinline__ void load_matrices(uint32_t (&dst)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];\n"
               : "=r"(dst[0]), "=r"(dst[1]), "=r"(dst[2]), "=r"(dst[3])
               : "r"(shared_address(row))
               : "memory");
}

// The same with each matrix transposed: dst[m] of lane i: column i / 4, rows 2 (i % 4) and the next.
__device__ __forceinline__ void load_matrices_transposed(uint32_t (&dst)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];\n"
               : "=r"(dst[0]), "=r"(dst[1]), "=r"(dst[2]), "=r"(dst[3])
               : "r"(shared_address(row))
               : "memory");
}

// c += A B.
template <typename T>
__device__ __forceinline__ void multiply_add(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1);

template <>
__device__ __forceinline__ void multiply_add<Bf16>(float (&c)[4], const uint32_t (&a)[4], uint32_t b0,
                                                   uint32_t b1) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};\n"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

template <>
__device__ __forceinline__ void multiply_add<Fp16>(float (&c)[4], const uint32_t (&a)[4], uint32_t b0,
                                                   uint32_t b1) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};\n"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// Two floats as elements of T, rounded to nearest, `low` in the lower half.
template <typename T>
__device__ __forceinline__ uint32_t pack(float low, float high);

template <>
__device__ __forceinline__ uint32_t pack<Bf16>(float low, float high) {
  uint32_t packed;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;\n" : "=r"(packed) : "f"(high), "f"(low));
  return packed;
}

template <>
__device__ __forceinline__ uint32_t pack<Fp16>(float low, float high) {
  uint32_t packed;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;\n" : "=r"(packed) : "f"(high), "f"(low));
  return packed;
}

// The lower and the upper element of a register.
template <typename T>
__device__ __forceinline__ float2 unpack(uint32_t packed);

template <>
__device__ __forceinline__ float2 unpack<Bf16>(uint32_t packed) {
  return {__uint_as_float(packed << 16), __uint_as_float(packed & 0xffff0000u)};
}

template <>
__device__ __forceinline__ float2 unpack<Fp16>(uint32_t packed) {
  float2 pair;
  asm("{.reg .b16 low, high;\n mov.b32 {low, high}, %2;\n cvt.f32.f16 %0, low;\n cvt.f32.f16 %1, high;}\n"
      : "=f"(pair.x), "=f"(pair.y)
      : "r"(packed));
  return pair;
}

// 2^x within 2 ulp of float32, 0 below -126.
__device__ __forceinline__ float fast_exp2(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;\n" : "=f"(y) : "f"(x));
  return y;
}

// The value of the lane whose number differs in the bits of `mask`.
__device__ __forceinline__ float lane_xor(float x, int mask) { return __shfl_xor_sync(0xffffffffu, x, mask); }

__device__ __forceinline__ void sync_warp() { __syncwarp(); }
__device__ __forceinline__ void sync_block() { __syncthreads(); }
// Whether any thread of the block says so.
__device__ __forceinline__ bool any_of_block(bool says) { return __syncthreads_or(says ? 1 : 0) != 0; }

}  // namespace crane::cuda

#endif
