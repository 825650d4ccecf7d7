#include "methods/registry.h"

#include <map>

#include "core/error.h"
#include "methods/crane/crane.h"

namespace crane::methods {
namespace {

using Makers = std::map<std::string, Maker, std::less<>>;

// Made at its first use, because add() is called while statics are.
Makers& makers() {
  static Makers all{
      {"crane", make_crane},
  };
  return all;
}

}  // namespace

std::shared_ptr<const Method> make(std::string_view name, const Settings& settings) {
  const auto found = makers().find(name);
  if (found == makers().end()) {
    std::string known;
    for (const std::string& each : names()) known += (known.empty() ? "" : ", ") + each;
    throw Error("E_METHOD", join_text("this engine has no method \"", name, "\""),
                join_text("it has ", known));
  }
  return found->second(settings);
}

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const auto& [name, maker] : makers()) all.push_back(name);
  return all;
}

void add(std::string_view name, Maker maker) {
  CRANE_CHECK_INVARIANT(makers().emplace(std::string(name), maker).second, "two methods are called ", name);
}

}  // namespace crane::methods
