// Which face of a kernel this process uses: the best that the CPU has, or what CRANE_KERNELS says. The choice
// never depends on the work, so that equal pictures get equal bits.
//
// CRANE_KERNELS lists, separated by commas, "face" (for every kernel that has it) or "kernel=face"; later
// entries win:
//   CRANE_KERNELS=ref                              the plain definition of everything
//   CRANE_KERNELS=linear=onednn                    one kernel
//   CRANE_KERNELS=linear=avx2,attention=avx2,affinity=avx2     what chosen_kernels() of another run printed
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace crane::simd {

// "linear", "attention" or "affinity" -> the name of its face. Errors: E_USAGE where CRANE_KERNELS names what
// is not there, or a face this CPU (or CRANE_MAX_ISA) does not have.
std::string_view chosen_face(std::string_view kernel);

// Names of a kernel's faces, best first; "ref" is the last.
std::span<const std::string_view> faces_of(std::string_view kernel);

// Whether this CPU, lowered by CRANE_MAX_ISA, has the instructions of a face.
bool can_run(std::string_view face);

// "linear=avx512,attention=avx512,affinity=avx512", which CRANE_KERNELS takes.
std::string chosen_kernels();

// The same for another value of CRANE_KERNELS.
std::string kernels_chosen_by(std::string_view list);

}  // namespace crane::simd
