// Checkpoints of methods: kinds of files beside the towers' (learned prompts, heads). A method brings the
// names of its tensors and their check; readers, conversion and verification then treat them as they do
// towers.
#pragma once

#include <vector>

#include "weights/family.h"
#include "weights/structure.h"

namespace crane::weights {

struct CheckpointKind {
  const Family* family;
  // Any of its tensors is there.
  bool (*is_there)(const CanonicalWeights& weights);
  // towers: of the same files, if any. Errors: E_WEIGHTS_MISSING, E_WEIGHTS_SHAPE, E_WEIGHTS_DTYPE; E_PROMPTS
  // where it does not fit the towers.
  void (*check)(const CanonicalWeights& weights, const Structure& towers);
};

// While the program starts (methods/registry.cpp): not thread-safe. The same kind twice counts once.
void add_checkpoint_kind(const CheckpointKind& kind);
const std::vector<CheckpointKind>& checkpoint_kinds();

}  // namespace crane::weights
