// Ground-truth masks (method.md 2, step 2).
#pragma once

#include <cstdint>

#include "image/picture.h"

namespace crane::image {

// 1 where the mask is anomalous: anything above 0 after conversion to 8-bit grey counts as 255, then Pillow's
// bilinear resize with antialiasing, then above 127. dst: [height, width] u8 of 0 and 1.
// Grey of a colour can round to 0 (blue 3); 16-bit grey is clipped at 255; alpha is ignored.
// Thread-safe. Errors: E_IMAGE_SHAPE, E_IMAGE_TOO_LARGE.
void resize_mask(const PictureView& mask, int64_t width, int64_t height, uint8_t* dst);

}  // namespace crane::image
