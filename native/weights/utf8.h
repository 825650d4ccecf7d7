// Whether bytes are well-formed UTF-8: no overlong form, no surrogate, nothing above U+10FFFF.
#pragma once

#include <string_view>

namespace crane::weights {

bool is_utf8(std::string_view text) noexcept;

}  // namespace crane::weights
