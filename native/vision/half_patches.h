// The patch convolution as one product of 16-bit operands on a GPU: patches do not overlap.
#pragma once

#include "tensors/torch_headers.h"

namespace crane::vision {

// Half precision whatever the tower's format: normalised pixels are small numbers, and half keeps 11 bits of
// each where bfloat16 keeps 8, as many as the picture had.
class HalfPatches {
 public:
  HalfPatches() = default;
  // weight [width, 3, patch, patch], bias [width] or undefined.
  HalfPatches(const at::Tensor& weight, const at::Tensor& bias);

  // image [B, 3, H, W] float32, what is smaller than a patch is cut -> [B, N, width] float32.
  at::Tensor operator()(const at::Tensor& image) const;
  bool defined() const { return weight_.defined(); }

 private:
  int64_t patch_ = 0;
  int64_t depth_ = 0;  // 3 * patch * patch
  at::Tensor weight_;  // [width, depth rounded up to 8], since tensor cores want rows of 16 bytes
  at::Tensor bias_;
};

}  // namespace crane::vision
