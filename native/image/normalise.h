// From 8-bit RGB to the tensor the vision tower takes (method.md 2, step 1).
#pragma once

#include <array>
#include <cstdint>

namespace crane::image {

// Constants of one tower, RGB order.
struct Normalisation {
  std::array<float, 3> mean;
  std::array<float, 3> std;
};

// dst[c,y,x] = (src[y,x,c] / 255 - mean[c]) / std[c], each step rounded to float32 in this order, as the
// reference's ToTensor and Normalize do. src: [height, width, 3] u8; dst: [3, height, width] float32.
// Thread-safe. Errors: E_MODEL_CONFIG for constants that are not finite or a std that is not positive.
void normalise(const uint8_t* src, int64_t width, int64_t height, const Normalisation& constants, float* dst);

// The 8-bit colour closest to the mean: normalised, it is about 0 in every channel.
std::array<uint8_t, 3> mean_colour(const Normalisation& constants);

}  // namespace crane::image
