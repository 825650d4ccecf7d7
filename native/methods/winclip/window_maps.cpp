#include "methods/winclip/window_maps.h"

#include <ATen/ops/zeros.h>

#include <algorithm>

namespace crane::methods::winclip {

at::Tensor mean_of_covering(const at::Tensor& values, vision::Grid grid, int64_t side) {
  const int64_t down = grid.height - side + 1;
  const int64_t across = grid.width - side + 1;
  // The last plane counts the windows.
  const at::Tensor planes = at::cat({values, at::ones({1, values.size(1)}, values.options())}, /*dim=*/0)
                                .view({values.size(0) + 1, down, across});
  at::Tensor sums = at::zeros({planes.size(0), grid.height, grid.width}, values.options());
  for (int64_t y = 0; y < side; ++y) {
    for (int64_t x = 0; x < side; ++x) sums.slice(1, y, y + down).slice(2, x, x + across).add_(planes);
  }
  return sums.slice(0, 0, values.size(0)) / sums.slice(0, values.size(0));
}

at::Tensor textual_map(const std::vector<at::Tensor>& normal, vision::Grid grid,
                       const std::vector<int64_t>& sides) {
  std::vector<at::Tensor> of_sides;
  // A probability of 0 gives infinity here and 1 in the end.
  for (size_t s = 0; s < sides.size(); ++s) {
    of_sides.push_back(mean_of_covering(normal[s].reciprocal(), grid, sides[s]));
  }
  // The bounds hold exactly; rounding alone leaves them.
  return (1 - at::stack(of_sides, /*dim=*/0).mean(/*dim=*/0).reciprocal()).clamp(0, 1);
}

at::Tensor distances(const at::Tensor& features, const at::Tensor& gallery) {
  const at::Tensor nearest = std::get<0>(at::matmul(features, gallery.transpose(0, 1)).max(/*dim=*/1));
  return (0.5 * (1 - nearest)).clamp(0, 1);  // a cosine may be 1 + 1e-7
}

at::Tensor harmonic_fusion(const at::Tensor& a, const at::Tensor& b) {
  return (a.reciprocal() + b.reciprocal()).reciprocal();
}

}  // namespace crane::methods::winclip
