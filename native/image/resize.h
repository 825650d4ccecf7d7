// Resizing to RGB, bit for bit as Pillow 13 does it on the picture in its own mode (method.md 2, step 1).
#pragma once

#include <cstdint>

#include "image/picture.h"
#include "image/taps.h"

namespace crane::image {

// The whole picture resized to [height, width], then converted to RGB. dst: [height, width, 3].
// Palette pictures take the nearest neighbour whatever the filter; a size that does not change is a plain
// copy. Thread-safe. Errors: E_IMAGE_SHAPE, E_IMAGE_TOO_LARGE.
void resize_to_rgb(const PictureView& picture, int64_t width, int64_t height, Filter filter, uint8_t* dst);

// Only `region` of that result, at a cost that follows the region's size.
// dst: region.height rows of region.width RGB pixels, dst_stride bytes apart.
void resize_region_to_rgb(const PictureView& picture, int64_t width, int64_t height, const Rect& region,
                          Filter filter, uint8_t* dst, int64_t dst_stride);

}  // namespace crane::image
