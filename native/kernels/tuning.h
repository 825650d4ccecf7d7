// Sizes and distances that change a kernel's speed on one family of processors and no bit of its results, in
// one table with the reason of every row. What changes bits is no matter of this table: it must not depend on
// the machine.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/microarchitecture.h"

namespace crane::kernels {

struct Tuning {
  Microarchitecture is;
  // How many steps of the depth ahead a linear kernel in vector registers asks for its weights; 0: it does
  // not.
  int64_t weights_ahead;
  // Bytes of packed rows that a linear kernel in tiles keeps while weights go by.
  int64_t tile_block_bytes;
  std::string_view reason;
};

// Every row; the last one, `other`, is for whatever has none.
std::span<const Tuning> tunings();

const Tuning& tuning_of(Microarchitecture is);

// This machine's.
const Tuning& tuning();

}  // namespace crane::kernels
