// Which faces of the kernels of this room may run. Every face gives the same bits; the choice is speed only.
#pragma once

#include <cstdlib>
#include <string_view>

namespace crane::image {

// True when the CPU has AVX2 and FMA and neither CRANE_MAX_ISA=none nor CRANE_KERNELS=ref forbids them.
inline bool may_use_avx2() {
#if defined(__x86_64__)
  static const bool allowed = [] {
    const auto is = [](const char* name, std::string_view wanted) {
      const char* value = std::getenv(name);
      return value != nullptr && value == wanted;
    };
    if (is("CRANE_MAX_ISA", "none") || is("CRANE_KERNELS", "ref")) return false;
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  }();
  return allowed;
#else
  return false;
#endif
}

}  // namespace crane::image
