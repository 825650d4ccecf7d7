// Which patches of a picture show the thing that stands before a plain background (methods/normals.md 7).
#pragma once

#include <cstdint>

#include "tensors/torch_headers.h"
#include "vision/spatial_source.h"

namespace crane::normals {

struct Foreground {
  at::Tensor kept;  // [N] bool on the CPU, row by row
  int64_t left_out =
      0;  // patches of the background; 0: the picture shows none, or none that is told for sure
};

// rows [grid.count(), D], the patches of one upright picture. The rows along their first principal axis are
// cut in two where these differ most (Otsu); the background is what of the part that most border cells are of
// reaches the border. None is told where the border is of both parts, the parts are not far from each other,
// or one would be nearly the whole picture. In double.
Foreground foreground_of(const at::Tensor& rows, vision::Grid grid);

}  // namespace crane::normals
