// What VAND reads off a picture before heads and texts are involved.
#pragma once

#include "methods/vand/heads.h"
#include "methods/vand/options.h"

namespace crane::methods::vand {

struct PictureLevels {
  at::Tensor cls;     // [1, D] unit row
  at::Tensor tokens;  // [L, n, width] as the listed blocks leave them, without the class token
};

// image [1, 3, H, W] normalised. Errors: E_MODEL_CONFIG for settings that do not fit the tower.
PictureLevels picture_levels(const vision::Tower& tower, const at::Tensor& image, const Options& options,
                             Trace* trace);

HeadSizes head_sizes(const vision::Tower& tower, const Options& options);

}  // namespace crane::methods::vand
