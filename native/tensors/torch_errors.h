// libtorch's exceptions as ours.
#pragma once

#include <string>

#include "core/error.h"
#include "tensors/torch_headers.h"

namespace crane {

// The CPU allocator's text, "... you tried to allocate 2408448 bytes. Error code 12 ...", without its
// insides.
inline Error out_of_memory(const std::string& text) {
  const size_t from = text.find("allocate ", text.find("tried to "));
  const size_t to = text.find(" bytes", from);
  const bool is_known = from != std::string::npos && to != std::string::npos;
  return Error("E_MEMORY",
               is_known ? "could not " + text.substr(from, to + 6 - from) : text.substr(0, text.find('\n')),
               "use a smaller --batch, --size or model, or end other programs");
}

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
    if (is_memory) throw out_of_memory(text);
    throw Error("E_INTERNAL", text.substr(0, text.find('\n')));
  }
}

}  // namespace crane
