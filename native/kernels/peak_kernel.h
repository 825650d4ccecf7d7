// The chains of peak.h, over a type that says how one register of sums is loaded, added to and stored. Enough
// of them that the next of a chain never waits for the one before, and no more than the registers hold.
#pragma once

#include "kernels/peak.h"

namespace crane::kernels {

// Four numbers of a byte each, as the byte products take them.
inline int32_t four_bytes(const float* values) {
  uint32_t bytes = 0;
  for (int i = 0; i < 4; ++i) {
    bytes |= static_cast<uint32_t>(static_cast<uint8_t>(static_cast<int>(values[i]))) << (8 * i);
  }
  return static_cast<int32_t>(bytes);
}

template <typename Dot, int k_chains>
struct PeakKernel {
  static void run(const PeakJob& job) {
    typename Dot::Sums sums[k_chains];
    for (int chain = 0; chain < k_chains; ++chain)
      sums[chain] = Dot::load(job.results + chain * Dot::k_lanes);
    typename Dot::Operand left = Dot::left(job.left);
    const typename Dot::Operand right = Dot::right(job.right);
    for (int64_t step = 0; step < job.steps; ++step) {
#pragma GCC unroll 32
      for (int chain = 0; chain < k_chains; ++chain) {
        Dot::keep(left);
        sums[chain] = Dot::add(sums[chain], left, right);
      }
    }
    for (int chain = 0; chain < k_chains; ++chain)
      Dot::store(sums[chain], job.results + chain * Dot::k_lanes);
  }

  // Behind what it names: clang looks no further than here.
  static constexpr PeakFace face = {k_chains * Dot::k_lanes, Dot::k_depth, &PeakKernel::run};
};

}  // namespace crane::kernels
