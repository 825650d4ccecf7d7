// The names of E-Attn's kinds (method.md 3).
#pragma once

#include <string_view>

#include "attention/kinds.h"

namespace crane::methods {

// "vv", "kk", "qq", "qq+kk", "qq+kk+vv" or "(q+k+v)^2"; E_MODEL_CONFIG for anything else.
attention::SelfSet parse_e_attn(std::string_view kind);

}  // namespace crane::methods
