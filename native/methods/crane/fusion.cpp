#include "methods/crane/fusion.h"

#include "layers/linear.h"

namespace crane::methods {

at::Tensor fuse(const at::Tensor& maps, const at::Tensor& pixel_logits, const at::Tensor& global,
                Trace* trace) {
  const at::Tensor mean_features = maps.mean(/*dim=*/0);                                          // [B, n, D]
  const at::Tensor weight = at::softmax(pixel_logits.mean(/*dim=*/0), /*dim=*/-1).select(-1, 1);  // [B, n]
  const at::Tensor fused =
      layers::unit_rows((weight.unsqueeze(-1) * mean_features).sum(/*dim=*/1));  // [B, D]
  if (trace) trace->record("fused", fused);
  return layers::unit_rows(0.5 * fused + 0.5 * global);
}

at::Tensor anomaly_map(const at::Tensor& pixel_logits, int64_t grid_height, int64_t grid_width,
                       int64_t height, int64_t width, bool soft_mean) {
  const int64_t maps = pixel_logits.size(0);
  const int64_t batch = pixel_logits.size(1);
  const at::Tensor cells = soft_mean ? at::softmax(pixel_logits, /*dim=*/-1) : pixel_logits;
  const at::Tensor planes =
      cells.reshape({maps * batch, grid_height, grid_width, 2}).permute({0, 3, 1, 2}).contiguous();
  const at::Tensor upsampled = at::upsample_bilinear2d(planes, {height, width}, /*align_corners=*/false)
                                   .view({maps, batch, 2, height, width})
                                   .mean(/*dim=*/0);
  return (soft_mean ? upsampled : at::softmax(upsampled, /*dim=*/1)).select(1, 1);
}

}  // namespace crane::methods
