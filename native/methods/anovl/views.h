// The views of a picture whose class tokens are averaged.
#pragma once

#include "tensors/torch_headers.h"

namespace crane::methods::anovl {

inline constexpr int64_t k_views = 22;

// image [1, 3, S, S] normalised -> the views of it beside itself, [k_views - 1, 3, S, S]: 8 small rotations,
// 8 shifts, mirrored, grey, 3 quarter turns. What comes in from outside is the picture reflected at its
// outermost pixels. Errors: E_MODEL_CONFIG for a picture that is not square.
at::Tensor other_views(const at::Tensor& image);

}  // namespace crane::methods::anovl
