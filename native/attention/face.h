// A kernel has several faces: implementations of one definition. The list of a kernel is ordered best first
// and ends with "ref", the plain definition every other face is tested against.
#pragma once

#include <span>
#include <string_view>

#include "kernels/choice.h"

namespace crane::attention {

template <typename Function, typename Fits>
struct Face {
  std::string_view name;
  Function* run;
  Fits* fits;  // whether the face covers a call; null: every call
};

// The process's choice for `kernel` at this precision (kernels/choice.h), or the next face of its list that
// covers the call.
template <typename Function, typename Fits, typename... Arguments>
const Face<Function, Fits>& face_for(std::string_view kernel, Precision precision,
                                     std::span<const Face<Function, Fits>> faces,
                                     const Arguments&... arguments) {
  const std::string_view chosen = kernels::chosen_face(kernel, precision);
  bool is_reached = false;
  for (const Face<Function, Fits>& face : faces) {
    // The choice is among the CPU's faces; a GPU has one of its own, unless the definition is asked for.
    const bool is_cuda = face.name == "cuda" && chosen != "ref";
    is_reached = is_reached || face.name == chosen;
    if ((is_reached || is_cuda) && (face.fits == nullptr || face.fits(arguments...))) return face;
  }
  return faces.back();
}

}  // namespace crane::attention
