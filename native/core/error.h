// The one exception of the engine. It becomes a CraneError in JavaScript; codes are listed in src/errors.ts.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

namespace crane {

class Error : public std::runtime_error {
 public:
  Error(std::string code, const std::string& message, std::string hint = {})
      : std::runtime_error(message), code_(std::move(code)), hint_(std::move(hint)) {}

  const std::string& code() const noexcept { return code_; }
  // What the user can do about it; may be empty.
  const std::string& hint() const noexcept { return hint_; }

 private:
  std::string code_;
  std::string hint_;
};

// join_text("got ", 3, " of ", n) builds a message from anything with operator<<.
template <typename... Parts>
std::string join_text(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

// The user's mistake: throws with the given code unless `condition` holds.
template <typename... Parts>
void check_input(bool condition, const char* code, const Parts&... parts) {
  if (!condition) throw Error(code, join_text(parts...));
}

// Our mistake: E_INTERNAL with file and line, never an abort inside Node.
#define CRANE_CHECK_INVARIANT(condition, ...)                                                              \
  do {                                                                                                     \
    if (!(condition))                                                                                      \
      throw ::crane::Error(                                                                                \
          "E_INTERNAL", ::crane::join_text(__FILE__, ":", __LINE__, ": ", #condition, ": ", __VA_ARGS__)); \
  } while (false)

}  // namespace crane
