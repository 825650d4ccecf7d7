// What of a normal picture is not compared.
#pragma once

#include <cstdint>

namespace crane::methods {

// Of a normal picture with its copies: patches that were left out, and all that there are.
struct PatchCount {
  int64_t left_out = 0;
  int64_t patches = 0;
};

}  // namespace crane::methods
