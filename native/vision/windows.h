// Windows of a grid as short sequences of their own: the class token and the window's patches, as if the
// picture showed nothing else. Blocks then run on all windows of one side at once.
#pragma once

#include "tensors/torch_headers.h"
#include "vision/spatial_source.h"

namespace crane::vision {

// Token rows of every window of side x side cells, stride 1, by its top left cell row by row:
// [(height - side + 1) * (width - side + 1), 1 + side * side], the class token's row 0 before the cells row
// by row. Errors: E_MODEL_CONFIG when the side does not fit the grid.
at::Tensor window_rows(Grid grid, int64_t side, at::Device device);

// tokens [B, 1 + N, width], rows [W, R] -> [B * W, R, width], a picture's windows together. Positions were
// added before (Tower::embed), so every patch keeps its own.
at::Tensor gather_windows(const at::Tensor& tokens, const at::Tensor& rows);

}  // namespace crane::vision
