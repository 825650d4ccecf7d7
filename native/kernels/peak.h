// The fastest that this CPU multiplies and adds: independent chains of one instruction whose operands stay in
// registers. No product of matrices can be faster in the same instructions, so this is what speed is measured
// against (docs/bench.md).
//
// One step adds the same dot product to every result:   results[i] += sum_k left[k] right[k]
#pragma once

#include <cstdint>
#include <string_view>

#include "core/isa.h"

namespace crane::kernels {

enum class PeakFormat {
  float32,
  bfloat16,  // products of bfloat16, sums in float32
  int8,      // unsigned times signed, sums in int32
};

constexpr std::string_view format_name(PeakFormat format) {
  switch (format) {
    case PeakFormat::bfloat16:
      return "bfloat16";
    case PeakFormat::int8:
      return "int8";
    case PeakFormat::float32:
      break;
  }
  return "float32";
}

constexpr int64_t k_most_peak_depth = 64;
constexpr int64_t k_most_peak_results = 2048;

struct PeakJob {
  int64_t steps = 0;
  const float* left = nullptr;   // [depth]; numbers of the face's format, of int8 from 0 on
  const float* right = nullptr;  // [depth]
  float* results = nullptr;      // [results], what the sums begin with and what they came to
};

struct PeakFace {
  int64_t results;  // of all chains
  int64_t depth;    // multiply-adds that a step gives each result
  void (*run)(const PeakJob& job);

  // Of one step on one thread: a multiply-add is two.
  constexpr int64_t operations() const { return 2 * results * depth; }
};

struct PeakRow {
  PeakFormat format;
  std::string_view face;
  std::string_view instruction;
  Isa needs;
  const PeakFace* function;
};

}  // namespace crane::kernels
