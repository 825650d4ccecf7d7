// The table of this room: every face of every kernel, for each precision best first and the definition,
// "ref", last. What chooses, refuses, lists and tests faces reads it; a new face is its file and a row.
#pragma once

#include <span>
#include <string_view>
#include <variant>

#include "core/isa.h"
#include "core/precision.h"
#include "kernels/peak.h"

namespace crane::kernels {

struct AffinityFace;
struct AttentionFace;
struct LinearFace;
struct NearestFace;

// What runs. Nothing: operators of libtorch, which the kernel's own room (layers/, attention/) calls.
using Function = std::variant<std::monostate, const LinearFace*, const AttentionFace*, const AffinityFace*,
                              const NearestFace*>;

struct Row {
  std::string_view kernel;
  Precision precision;
  std::string_view face;
  Isa needs;
  Function function = {};
  bool only_when_asked = false;  // never chosen unless CRANE_KERNELS names it

  // The face as the kernel of that type; null where libtorch's operators run.
  template <typename Face>
  const Face* as() const {
    const auto* face_of_type = std::get_if<const Face*>(&function);
    return face_of_type == nullptr ? nullptr : *face_of_type;
  }
};

// Rows of a kernel and precision stand together.
std::span<const Row> table();

// Of one kernel and precision; a precision for which the kernel has none takes those of float32. Empty for an
// unknown kernel.
std::span<const Row> rows_of(std::string_view kernel, Precision precision = Precision::float32);

// The faces that measure what the CPU can do at best, of each format fastest first. No engine computes with
// them.
std::span<const PeakRow> peaks();

}  // namespace crane::kernels
