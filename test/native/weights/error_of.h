// What a call throws, as values a test can compare.
#pragma once

#include <string>

#include "core/error.h"

namespace crane::weights {

struct Thrown {
  std::string code;  // empty: nothing was thrown
  std::string message;
  std::string hint;
};

// Anything but crane::Error escapes and fails the test.
template <typename Call>
Thrown thrown_by(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return {error.code(), error.what(), error.hint()};
  }
  return {};
}

// Its code alone; empty: nothing was thrown.
template <typename Call>
std::string code_of(Call&& call) {
  return thrown_by(call).code;
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace crane::weights
