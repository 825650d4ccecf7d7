// Four pictures, and their masks, put together into one (method.md 7, `mosaicRate`).
#pragma once

#include <array>
#include <cstdint>

#include "image/picture.h"

namespace crane::image {

inline constexpr size_t k_mosaic_tiles = 4;

// Upper left, upper right, lower left, lower right; of an odd side the right or lower one is a pixel larger.
std::array<Rect, k_mosaic_tiles> mosaic_tiles(int64_t width, int64_t height);

// Each picture resized to its tile as resize_to_rgb does it. dst: [height, width, 3]. Thread-safe. Errors:
// E_IMAGE_SHAPE, also for sides below 2; E_IMAGE_TOO_LARGE.
void mosaic_of_pictures(const std::array<PictureView, k_mosaic_tiles>& pictures, int64_t width,
                        int64_t height, uint8_t* dst);

// Of each pixel the mask's pixel under its centre, so that no value between two is made up. The masks are
// 8-bit grey. dst: [height, width]. Thread-safe. Errors: E_IMAGE_SHAPE, E_IMAGE_TOO_LARGE.
void mosaic_of_masks(const std::array<PictureView, k_mosaic_tiles>& masks, int64_t width, int64_t height,
                     uint8_t* dst);

}  // namespace crane::image
