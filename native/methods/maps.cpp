#include "methods/maps.h"

namespace crane::methods {

at::Tensor text_logits(const at::Tensor& features, const at::Tensor& text, double temperature) {
  return at::matmul(features, text.transpose(-2, -1)) / temperature;
}

at::Tensor upsampled(const at::Tensor& cells, vision::Grid grid, int64_t height, int64_t width,
                     bool align_corners) {
  const at::Tensor planes =
      cells.reshape({cells.size(0), grid.height, grid.width, cells.size(2)}).permute({0, 3, 1, 2});
  return at::upsample_bilinear2d(planes.contiguous(), {height, width}, align_corners);
}

}  // namespace crane::methods
