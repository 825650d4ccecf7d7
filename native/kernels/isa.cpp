#include "kernels/isa.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace crane::kernels {
namespace {

Isa of_this_cpu() {
#if defined(__x86_64__)
  const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  const bool has_bfloat16 = __builtin_cpu_supports("avx512bf16");
  if (has_avx2 && has_avx512) return has_bfloat16 ? Isa::avx512bf16 : Isa::avx512;
  if (has_avx2) return Isa::avx2;
#endif
  return Isa::plain;
}

}  // namespace

Isa best_isa() {
  static const Isa best = [] {
    const Isa isa = of_this_cpu();
    const char* value = std::getenv("CRANE_MAX_ISA");
    const std::string_view ceiling = value == nullptr ? "" : value;
    if (ceiling == "none") return Isa::plain;
    if (ceiling == "avx2") return std::min(isa, Isa::avx2);
    if (ceiling == "avx512") return std::min(isa, Isa::avx512);
    return isa;
  }();
  return best;
}

const char* isa_name(Isa isa) {
  switch (isa) {
    case Isa::avx512bf16:
      return "avx512bf16";
    case Isa::avx512:
      return "avx512";
    case Isa::avx2:
      return "avx2";
    case Isa::plain:
      break;
  }
  return "plain";
}

}  // namespace crane::kernels
