#include "methods/method.h"

#include "core/error.h"

namespace crane::methods {

void Context::write(const std::string& path, const std::map<std::string, std::string>& /*metadata*/) const {
  throw Error("E_USAGE", join_text(path, ": this context is made from what has files already"));
}

Scores Method::score_own(const Towers& /*towers*/, const Context& /*context*/, int64_t /*picture*/) const {
  throw Error("E_USAGE", join_text("method ", name_, " remembers no normal pictures"));
}

}  // namespace crane::methods
