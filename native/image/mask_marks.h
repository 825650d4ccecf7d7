// Masks of any kind brought to one form: 8-bit grey, above 0 where something is marked.
#pragma once

#include <cstdint>

#include "image/picture.h"

namespace crane::image {

// The highest of a pixel's colours; its opacity where the colour is the same everywhere and something is
// transparent. is_lossy: what is below half of the highest value is noise of the compression and becomes 0.
// dst: [height, width]. Thread-safe. Errors: E_IMAGE_SHAPE, also for 16-bit grey; E_IMAGE_TOO_LARGE.
void mark_mask(const PictureView& mask, bool is_lossy, uint8_t* dst);

// Pillow's conversion to L; alpha does not count. dst: [height, width]. Errors: as mark_mask.
void grey_mask(const PictureView& mask, uint8_t* dst);

// Raises each of `count` values of dst to the other's.
void unite_mask(const uint8_t* other, int64_t count, uint8_t* dst);

// Turns [height, width] into dst [width, height] as an EXIF orientation says; only 5 to 8 change the sides,
// so only those ever need it. Errors: E_IMAGE_SHAPE for another orientation.
void turn_mask(const uint8_t* mask, int64_t width, int64_t height, int orientation, uint8_t* dst);

}  // namespace crane::image
