// What CLIP sees in every window of a picture.
#pragma once

#include <vector>

#include "vision/tower.h"

namespace crane::methods::winclip {

// image [B, 3, H, W] -> for each side the windows' class features at length one, [B, W, D], windows as
// vision::window_rows lists them. Errors: E_MODEL_CONFIG for a side that does not fit the grid.
std::vector<at::Tensor> window_features(const vision::Tower& tower, const at::Tensor& image,
                                        const std::vector<int64_t>& sides);

}  // namespace crane::methods::winclip
