// Levels: the blocks of the vision tower, counted from 1, whose features a method reads.
#pragma once

#include <cstdint>
#include <span>

#include "core/error.h"

namespace crane::methods {

// Errors: E_MODEL_CONFIG for none, for one that a tower of `blocks` blocks does not have, and for more than
// these: a block may be listed twice, but each entry takes a map's memory.
inline void check_levels(std::span<const int64_t> features, int64_t blocks) {
  check_input(!features.empty(), "E_MODEL_CONFIG", "features lists no block");
  check_input(static_cast<int64_t>(features.size()) <= blocks, "E_MODEL_CONFIG", "features lists ",
              features.size(), " blocks, the vision tower has ", blocks);
  for (const int64_t level : features) {
    check_input(level >= 1 && level <= blocks, "E_MODEL_CONFIG", "features lists block ", level,
                ", the vision tower has ", blocks, " blocks");
  }
}

}  // namespace crane::methods
