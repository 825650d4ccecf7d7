// What the tensors of a text tower cannot tell; comes from model.json.
#pragma once

#include <cstdint>

#include "layers/activation.h"

namespace crane::text {

struct TextConfig {
  layers::Activation activation = layers::Activation::quick_gelu;
  double layer_norm_eps = 1e-5;
  int64_t heads = 0;  // of the attention; 0: as many as are 64 channels wide
};

}  // namespace crane::text
