// Which face of a kernel this process uses: the best that the CPU has, or what CRANE_KERNELS says. The choice
// depends on the engine's precision but never on the work, so that equal pictures get equal bits.
//
// CRANE_KERNELS lists, separated by commas, "face" (for every kernel that has it) or "kernel=face"; later
// entries win. What is no face of an engine's precision leaves its choice as it is:
//   CRANE_KERNELS=ref                              the plain definition of everything
//   CRANE_KERNELS=linear=onednn                    one kernel
//   CRANE_KERNELS=linear=avx2,attention=avx2,affinity=avx2     what chosen_kernels() of another run printed
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/precision.h"

namespace crane::kernels {

// "linear", "attention" or "affinity" -> the name of its face. float16 has no faces here and is taken as
// float32. Errors: E_USAGE where CRANE_KERNELS names what is not there, or a face this CPU (or CRANE_MAX_ISA)
// does not have.
std::string_view chosen_face(std::string_view kernel, Precision precision = Precision::float32);

// Names of a kernel's faces, best first; "ref" is the last.
std::span<const std::string_view> faces_of(std::string_view kernel, Precision precision = Precision::float32);

// Whether this CPU, lowered by CRANE_MAX_ISA, has the instructions of a face.
bool can_run(std::string_view face);

// Whether engines on the CPU may have this precision: the instructions are there, or CRANE_KERNELS asks for
// the slow definition. Errors: those of chosen_face().
bool can_multiply_in(Precision precision);

// "linear=avx512,attention=avx512,affinity=avx512", which CRANE_KERNELS takes.
std::string chosen_kernels(Precision precision = Precision::float32);

// The same for another value of CRANE_KERNELS.
std::string kernels_chosen_by(std::string_view list, Precision precision = Precision::float32);

}  // namespace crane::kernels
