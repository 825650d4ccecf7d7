// From the mosaic of a sensor to colours.
#pragma once

#include <array>
#include <cstdint>

namespace crane::image {

// Colours of the cells at (0,0), (1,0), (0,1), (1,1), from there on repeated: 0 red, 1 green, 2 blue.
using BayerPattern = std::array<int, 4>;

// One diagonal green, the other red and blue.
bool is_bayer(const BayerPattern& pattern);

// Bilinear: a colour that a cell lacks is the mean of the two or four nearest cells that have it, halves
// rounded up; beyond the border the picture is mirrored about its outermost cells, which keeps the pattern.
// src: [height, width] u8; dst: [height, width, 3] u8, may not overlap. Both sides at least 2. Thread-safe.
void demosaic(const uint8_t* src, int64_t width, int64_t height, const BayerPattern& pattern, uint8_t* dst);

}  // namespace crane::image
