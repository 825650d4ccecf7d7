// The number format of the products in the vision towers. Sums, softmax, LayerNorm and everything from the
// features on are float32 in each.
#pragma once

#include <string_view>

namespace crane {

enum class Precision {
  float32,
  bfloat16,  // CPU with AVX512_BF16 or FEAT_BF16, CUDA
  float16,   // CUDA
  int8,      // CPU with AVX512_VNNI, AVX_VNNI or FEAT_I8MM: linear layers; attention in bfloat16 or float32
};

constexpr std::string_view precision_name(Precision precision) {
  switch (precision) {
    case Precision::bfloat16:
      return "bfloat16";
    case Precision::float16:
      return "float16";
    case Precision::int8:
      return "int8";
    case Precision::float32:
      break;
  }
  return "float32";
}

}  // namespace crane
