// A kernel has several faces: implementations of one definition. The list of a kernel is ordered best first
// and ends with "ref", the plain definition every other face is tested against.
#pragma once

#include <cstdlib>
#include <span>
#include <string_view>

namespace crane::attention {

template <typename Function>
struct Face {
  const char* name;
  Function* run;
};

// CRANE_KERNELS=ref takes the plain definition everywhere; otherwise the best face of the list.
template <typename Function>
const Face<Function>& chosen_face(std::span<const Face<Function>> faces) {
  static const bool wants_ref = [] {
    const char* forced = std::getenv("CRANE_KERNELS");
    return forced != nullptr && std::string_view(forced) == "ref";
  }();
  return wants_ref ? faces.back() : faces.front();
}

}  // namespace crane::attention
