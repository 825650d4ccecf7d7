// libtorch's exceptions as ours.
#pragma once

#include <string>

#include "core/error.h"
#include "core/torch_headers.h"

namespace crane {

// libtorch's exceptions carry a C++ backtrace nobody can use; the first line says what happened.
template <typename Function>
auto translate_errors(Function function) {
  try {
    return function();
  } catch (const c10::OutOfMemoryError& error) {
    throw Error("E_MEMORY", error.what_without_backtrace(),
                "use a smaller --batch or --size, or the CPU (--device cpu)");
  } catch (const c10::Error& error) {
    const std::string text = error.what_without_backtrace();
    const bool is_memory = text.find("can't allocate memory") != std::string::npos ||
                           text.find("not enough memory") != std::string::npos;
    throw Error(is_memory ? "E_MEMORY" : "E_INTERNAL", text.substr(0, text.find('\n')));
  }
}

}  // namespace crane
