#pragma once

namespace crane::text {

// Where the picture's global feature enters the prompt as a token (method.md 5).
enum class Guidance { none, pad_suffix, pad_prefix, replace_suffix, replace_prefix };

}  // namespace crane::text
