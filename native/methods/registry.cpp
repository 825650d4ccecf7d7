#include "methods/registry.h"

#include <map>

#include "core/error.h"
#include "methods/adaclip/adaclip.h"
#include "methods/adaclip/trainable.h"
#include "methods/anomalyclip/anomalyclip.h"
#include "methods/anovl/anovl.h"
#include "methods/both/both.h"
#include "methods/crane/crane.h"
#include "methods/normals/normals.h"
#include "methods/vand/vand.h"
#include "methods/winclip/winclip.h"
#include "text/prompt_checkpoint.h"

namespace crane::methods {
namespace {

struct Row {
  std::string_view name;
  Maker maker;
  const weights::CheckpointKind*
      checkpoint;  // what the method is scored with beside the towers; null: nothing
};

constexpr Row k_rows[] = {
    {"adaclip", make_adaclip, &adaclip::k_checkpoint},
    {"anomalyclip", make_anomalyclip, &text::k_prompt_checkpoint},
    {"anovl", make_anovl, nullptr},
    {"both", make_both, nullptr},
    {"crane", make_crane, &text::k_prompt_checkpoint},
    {"normals", make_normals, nullptr},
    {"vand", make_vand, &vand::k_heads_checkpoint},
    {"winclip", make_winclip, nullptr},
};

using Makers = std::map<std::string, Maker, std::less<>>;

// Made at its first use, because add() is called while statics are made.
Makers& makers() {
  static Makers all;
  return all;
}

const bool k_are_added = [] {
  for (const Row& row : k_rows) add(row.name, row.maker, row.checkpoint);
  return true;
}();

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

void add(std::string_view name, Maker maker, const weights::CheckpointKind* checkpoint) {
  CRANE_CHECK_INVARIANT(makers().emplace(std::string(name), maker).second, "two methods are called ", name);
  if (checkpoint != nullptr) weights::add_checkpoint_kind(*checkpoint);
}

}  // namespace crane::methods
