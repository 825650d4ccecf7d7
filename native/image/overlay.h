// Heat map of an anomaly map over its picture.
#pragma once

#include <cstdint>

#include "image/picture.h"

namespace crane::image {

// dst: [picture.height, picture.width, 3] RGB. The picture as the model sees its colours (alpha dropped,
// 16-bit grey clipped at 255), covered by heat_colours: values up to `low` leave it untouched, from there to
// `high` the colour runs through the table and grows more opaque, so that normal parts stay visible. NaN
// counts as `low`. map: [map_height, map_width], covers the picture, resized bilinearly. Thread-safe. Errors:
// E_USAGE unless low < high, both finite; E_IMAGE_SHAPE, E_IMAGE_TOO_LARGE.
void overlay_heat(const PictureView& picture, const float* map, int64_t map_width, int64_t map_height,
                  double low, double high, uint8_t* dst);

}  // namespace crane::image
