#include "image/normalise.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "image/picture.h"

namespace crane::image {

void normalise(const uint8_t* src, int64_t width, int64_t height, const Normalisation& constants,
               float* dst) {
  check_size("input of the model", width, height);
  // There are only 256 values a channel: the divisions are done once each.
  float table[3][256];
  for (int c = 0; c < 3; ++c) {
    const float mean = constants.mean[c];
    const float std = constants.std[c];
    check_input(std::isfinite(mean) && std::isfinite(std) && std > 0, "E_MODEL_CONFIG",
                "normalisation of channel ", c, ": got mean ", mean, " and std ", std,
                ", expected finite numbers and a positive std");
    for (int value = 0; value < 256; ++value) {
      const float scaled = static_cast<float>(value) / 255.0f;
      const float centred = scaled - mean;
      table[c][value] = centred / std;
    }
  }
  const int64_t plane = width * height;
  float* red = dst;
  float* green = dst + plane;
  float* blue = dst + 2 * plane;
  for (int64_t i = 0; i < plane; ++i, src += 3) {
    red[i] = table[0][src[0]];
    green[i] = table[1][src[1]];
    blue[i] = table[2][src[2]];
  }
}

std::array<uint8_t, 3> mean_colour(const Normalisation& constants) {
  std::array<uint8_t, 3> colour;
  for (int c = 0; c < 3; ++c) {
    colour[c] = static_cast<uint8_t>(std::clamp(std::lround(constants.mean[c] * 255.0f), 0L, 255L));
  }
  return colour;
}

}  // namespace crane::image
