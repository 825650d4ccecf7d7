// Copies of a normal picture as the camera might have seen it: turned about its middle, and mirrored.
#pragma once

#include <cstdint>
#include <vector>

#include "tensors/torch_headers.h"

namespace crane::normals {

struct Turns {
  int64_t count = 1;         // turns by 360 / count degrees each, the upright picture first
  bool is_mirrored = false;  // each of them also mirrored left to right

  int64_t copies() const { return count * (is_mirrored ? 2 : 1); }
};

// image [1, 3, H, W] as the tower takes it -> the copies, [1, 3, H, W] each, the first being the image
// itself. Turned about the middle in pixels and sampled bilinearly; what a turn brings in from outside is the
// picture reflected at its borders, with the edge sample once.
std::vector<at::Tensor> turned_copies(const at::Tensor& image, const Turns& turns);

}  // namespace crane::normals
