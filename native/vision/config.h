// What the tensors of a vision tower cannot tell; comes from model.json, the precision from the engine's
// options.
#pragma once

#include <array>
#include <cstdint>

#include "core/precision.h"
#include "layers/activation.h"

namespace crane::vision {

// How the position grid is fitted to another number of patches.
struct PositionInterpolation {
  enum class Kind {
    none,  // it is not: pictures have the size the table was made for
    bilinear,
    bicubic,            // a = -0.75, edges repeated
    bicubic_antialias,  // a = -0.5, taps outside dropped
  };
  Kind kind = Kind::bilinear;
  double offset = 0.0;  // DINOv2 without registers scales by (n + 0.1) / 37; 0: to exactly n
};

struct TowerConfig {
  layers::Activation activation = layers::Activation::quick_gelu;
  double layer_norm_eps = 1e-5;
  std::array<double, 3> mean{};
  std::array<double, 3> std{};
  PositionInterpolation positions;
  int64_t heads = 0;                         // of the attention; 0: as many as are 64 channels wide
  int64_t blocks = 0;                        // use the first n blocks only; 0: all
  Precision precision = Precision::float32;  // of the products in the blocks
};

}  // namespace crane::vision
