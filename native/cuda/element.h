// The 16-bit formats of the tensor cores, as bits: no header of CUDA or libtorch is needed to name them.
#pragma once

#include <cstdint>

namespace crane::cuda {

struct Bf16 {
  uint16_t bits;
};
struct Fp16 {
  uint16_t bits;
};

enum class Element { bf16, fp16 };

}  // namespace crane::cuda
