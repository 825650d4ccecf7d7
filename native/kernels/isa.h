// Which instruction sets the kernels of this room may use.
#pragma once

namespace crane::kernels {

// In the order of what they can do.
enum class Isa { plain, avx2, avx512, avx512bf16 };

// The best that this CPU and its operating system have, lowered by CRANE_MAX_ISA=avx512|avx2|none. avx2
// includes FMA; avx512 means the subsets F, BW, DQ and VL; avx512bf16 adds BF16.
Isa best_isa();

// "plain", "avx2", "avx512", "avx512bf16".
const char* isa_name(Isa isa);

}  // namespace crane::kernels
