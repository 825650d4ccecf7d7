#pragma once

namespace crane::layers {

// x sigmoid(1.702 x) for OpenAI's CLIP, the exact GELU otherwise.
enum class Activation { quick_gelu, gelu };

}  // namespace crane::layers
