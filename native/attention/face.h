// An attention kernel has several faces: implementations of one definition. Which there are, in which order,
// says the table (kernels/table.h): rows with panels run on tensors through panels.h, rows without are
// operators of libtorch, which the kernel's own file lists by name. A GPU's face is no row: it runs where the
// tensors are, and stands first.
#pragma once

#include <algorithm>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "kernels/choice.h"

namespace crane::attention {

template <typename Function, typename Fits>
struct Face {
  std::string_view name;
  std::function<Function> run;
  std::function<Fits> fits;           // whether the face covers a call; empty: every call
  const kernels::Row* row = nullptr;  // null: a GPU's

  bool can_run() const { return row != nullptr && kernels::can_run(*row); }
};

// The faces of a kernel at one precision, best first; the definition, which every other face is tested
// against, is the last. `of_panels(panels, face)` fills in how a row's panels run.
template <typename Panels, typename AnyFace, typename OfPanels>
std::vector<AnyFace> faces_by_table(std::string_view kernel, Precision precision, OfPanels of_panels,
                                    std::span<const AnyFace> operators) {
  std::vector<AnyFace> faces;
  const auto operator_named = [&](std::string_view name) {
    return std::find_if(operators.begin(), operators.end(),
                        [&](const AnyFace& each) { return each.name == name; });
  };
  if (const auto gpu = operator_named("cuda"); gpu != operators.end()) faces.push_back(*gpu);
  for (const kernels::Row& row : kernels::rows_of(kernel, precision)) {
    AnyFace face;
    if (const auto* panels = row.as<Panels>()) {
      of_panels(*panels, face);
    } else {
      const auto found = operator_named(row.face);
      CRANE_CHECK_INVARIANT(found != operators.end(), "no operator for ", kernel, "=", row.face);
      face = *found;
    }
    face.name = row.face;
    face.row = &row;
    faces.push_back(std::move(face));
  }
  return faces;
}

// The process's choice for `kernel` at this precision (kernels/choice.h), or the next face of its list that
// covers the call.
template <typename Function, typename Fits, typename... Arguments>
const Face<Function, Fits>& face_for(std::string_view kernel, Precision precision,
                                     std::span<const Face<Function, Fits>> faces,
                                     const Arguments&... arguments) {
  const kernels::Row* const chosen = &kernels::chosen(kernel, precision);
  bool is_reached = false;
  for (const Face<Function, Fits>& face : faces) {
    is_reached = is_reached || face.row == chosen;
    // The choice is among the CPU's faces; a GPU has one of its own, unless the definition is asked for.
    const bool is_candidate = face.row == nullptr
                                  ? chosen->face != "ref"
                                  : is_reached && (face.row == chosen || !face.row->only_when_asked);
    if (is_candidate && (!face.fits || face.fits(arguments...))) return face;
  }
  return faces.back();
}

}  // namespace crane::attention
