#include "weights/checkpoint.h"

#include <algorithm>

namespace crane::weights {
namespace {

// Made at its first use, because kinds are added while statics are made.
std::vector<CheckpointKind>& kinds() {
  static std::vector<CheckpointKind> all;
  return all;
}

}  // namespace

void add_checkpoint_kind(const CheckpointKind& kind) {
  const bool is_known = std::any_of(kinds().begin(), kinds().end(),
                                    [&](const CheckpointKind& each) { return each.family == kind.family; });
  if (!is_known) kinds().push_back(kind);
}

const std::vector<CheckpointKind>& checkpoint_kinds() { return kinds(); }

}  // namespace crane::weights
