#include "methods/anovl/views.h"

#include <ATen/ops/affine_grid_generator.h>
#include <ATen/ops/flip.h>
#include <ATen/ops/grid_sampler_2d.h>
#include <ATen/ops/rot90.h>

#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "core/error.h"
#include "cuda/tensors.h"

namespace crane::methods::anovl {
namespace {

constexpr std::array<double, 8> k_degrees{-45, -33.75, -22.5, -11.25, 11.25, 22.5, 33.75, 45};
constexpr std::array<std::array<double, 2>, 8> k_shifts{
    {{.2, .2}, {-.2, .2}, {-.2, -.2}, {.2, -.2}, {.1, .1}, {-.1, .1}, {-.1, -.1}, {.1, -.1}}};

// From a pixel of the view to where it lies in the picture, both from -1 to 1: [16, 2, 3].
at::Tensor affine_maps(at::Device device) {
  std::vector<double> rows;
  for (const double degrees : k_degrees) {
    const double angle = degrees * std::numbers::pi / 180;
    rows.insert(rows.end(), {std::cos(angle), -std::sin(angle), 0, std::sin(angle), std::cos(angle), 0});
  }
  for (const auto& [right, down] : k_shifts) rows.insert(rows.end(), {1, 0, right, 0, 1, down});
  return cuda::numbers_on(rows, at::kFloat, device).view({-1, 2, 3});
}

// Of the normalised channels, as the code does it.
at::Tensor grey(const at::Tensor& image) {
  const at::Tensor weights =
      cuda::numbers_on(std::array<double, 3>{0.299, 0.587, 0.114}, at::kFloat, image.device())
          .view({1, 3, 1, 1});
  return (image * weights).sum(/*dim=*/1, /*keepdim=*/true).expand_as(image);
}

}  // namespace

at::Tensor other_views(const at::Tensor& image) {
  check_input(image.size(2) == image.size(3), "E_MODEL_CONFIG",
              "anovl turns pictures by quarters: an input of ", image.size(3), " x ", image.size(2),
              " pixels must be square, or augment off");
  constexpr int64_t k_bilinear = 0;
  constexpr int64_t k_reflection = 2;
  const at::Tensor maps = affine_maps(image.device());
  const at::Tensor grid = at::affine_grid_generator(maps, {maps.size(0), 3, image.size(2), image.size(3)},
                                                    /*align_corners=*/true);
  const at::Tensor moved = at::grid_sampler_2d(image.expand({maps.size(0), -1, -1, -1}), grid, k_bilinear,
                                               k_reflection, /*align_corners=*/true);
  std::vector<at::Tensor> views{moved, at::flip(image, {3}), grey(image)};
  for (const int64_t quarters : {1, 2, 3}) views.push_back(at::rot90(image, quarters, {2, 3}));
  at::Tensor all = at::cat(views, /*dim=*/0);
  CRANE_CHECK_INVARIANT(all.size(0) == k_views - 1, all.size(0), " views beside the picture");
  return all;
}

}  // namespace crane::methods::anovl
