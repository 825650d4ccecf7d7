// Which face of a kernel this process uses: the best of the table's (kernels/table.h) that the CPU has, or
// what CRANE_KERNELS says. The choice depends on the engine's precision but never on the work, so that equal
// pictures get equal bits.
//
// CRANE_KERNELS lists, separated by commas, "face" (for every kernel that has it) or "kernel=face"; later
// entries win. What is no face of an engine's precision leaves its choice as it is:
//   CRANE_KERNELS=ref                              the plain definition of everything
//   CRANE_KERNELS=linear=onednn                    one kernel
//   CRANE_KERNELS=linear=avx2,attention=avx2,affinity=avx2     what chosen_kernels() of another run printed
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kernels/table.h"

namespace crane::kernels {

// The row of a kernel that the table has. Errors: E_USAGE where CRANE_KERNELS names what is not there, or a
// face whose instructions this CPU (or CRANE_MAX_ISA) does not have.
const Row& chosen(std::string_view kernel, Precision precision = Precision::float32);

// The name of its face.
std::string_view chosen_face(std::string_view kernel, Precision precision = Precision::float32);

// Whether this CPU, lowered by CRANE_MAX_ISA, has the instructions that a row needs.
bool can_run(const Row& row);
bool can_run(const PeakRow& row);

// The same of any face of that name.
bool can_run(std::string_view face);

// Whether kernels outside the table may use these instructions: those whose faces give equal bits, so that
// nobody needs to choose among them. CRANE_KERNELS=ref keeps them to their definitions too.
bool may_use(Isa isa);

// Whether engines on the CPU may have this precision: faces of its own can run, or CRANE_KERNELS asks for the
// slow definitions. Errors: those of chosen().
bool can_multiply_in(Precision precision);

// The instructions that linear layers of this precision need, as text.
std::string instructions_of(Precision precision);

// Precisions with rows of their own, float32 first.
std::vector<Precision> listed_precisions();

// "linear=avx512,attention=avx512,affinity=avx512", which CRANE_KERNELS takes.
std::string chosen_kernels(Precision precision = Precision::float32);

// The same for another value of CRANE_KERNELS.
std::string kernels_chosen_by(std::string_view list, Precision precision = Precision::float32);

}  // namespace crane::kernels
