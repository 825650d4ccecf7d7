#include "vision/half_patches.h"

#include <ATen/ops/zeros.h>

namespace crane::vision {

HalfPatches::HalfPatches(const at::Tensor& weight, const at::Tensor& bias)
    : patch_(weight.size(2)), depth_(3 * patch_ * patch_) {
  weight_ = at::zeros({weight.size(0), (depth_ + 7) / 8 * 8}, weight.options().dtype(at::kHalf));
  weight_.slice(1, 0, depth_).copy_(weight.reshape({weight.size(0), depth_}));
  if (bias.defined()) bias_ = bias.to(at::kHalf);
}

at::Tensor HalfPatches::operator()(const at::Tensor& image) const {
  const int64_t batch = image.size(0);
  const int64_t height = image.size(2) / patch_;
  const int64_t width = image.size(3) / patch_;
  const at::Tensor pixels = image.slice(2, 0, height * patch_)
                                .slice(3, 0, width * patch_)
                                .unflatten(3, {width, patch_})
                                .unflatten(2, {height, patch_})  // [B, 3, h, patch, w, patch]
                                .permute({0, 2, 4, 1, 3, 5});    // [B, h, w, 3, patch, patch]
  at::Tensor rows = at::zeros({batch * height * width, weight_.size(1)}, weight_.options());
  rows.slice(1, 0, depth_).view({batch, height, width, 3, patch_, patch_}).copy_(pixels);
  return at::linear(rows, weight_, bias_).to(at::kFloat).view({batch, height * width, -1});
}

}  // namespace crane::vision
