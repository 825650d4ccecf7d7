// Which instruction sets the kernels of this room may use.
#pragma once

namespace crane::simd {

// In the order of what they can do.
enum class Isa { plain, avx2, avx512 };

// The best that this CPU and its operating system have, lowered by CRANE_MAX_ISA=avx2|none. avx2 includes
// FMA; avx512 means the subsets F, BW, DQ and VL.
Isa best_isa();

// "plain", "avx2", "avx512".
const char* isa_name(Isa isa);

}  // namespace crane::simd
