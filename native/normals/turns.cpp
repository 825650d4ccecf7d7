#include "normals/turns.h"

#include <ATen/ops/affine_grid_generator.h>
#include <ATen/ops/flip.h>
#include <ATen/ops/grid_sampler.h>

#include <cmath>

namespace crane::normals {
namespace {

constexpr int64_t k_bilinear = 0;
constexpr int64_t k_reflection = 2;
constexpr double k_full_turn = 6.283185307179586;

// Counter-clockwise by `angle` as the picture is seen. The sampler's coordinates run from -1 to 1 along both
// sides, so a picture that is no square has its sides' ratio in the matrix.
at::Tensor turned(const at::Tensor& image, double angle) {
  const auto height = static_cast<double>(image.size(2) - 1);
  const auto width = static_cast<double>(image.size(3) - 1);
  const double c = std::cos(angle);
  const double s = std::sin(angle);
  const at::Tensor matrix =
      at::tensor(std::vector<double>{c, -s * height / width, 0, s * width / height, c, 0}, at::kFloat)
          .view({1, 2, 3})
          .to(image.device());
  const at::Tensor grid = at::affine_grid_generator(matrix, image.sizes(), /*align_corners=*/true);
  return at::grid_sampler(image, grid, k_bilinear, k_reflection, /*align_corners=*/true);
}

}  // namespace

std::vector<at::Tensor> turned_copies(const at::Tensor& image, const Turns& turns) {
  std::vector<at::Tensor> copies{image};
  for (int64_t i = 1; i < turns.count; ++i) {
    copies.push_back(turned(image, k_full_turn * static_cast<double>(i) / static_cast<double>(turns.count)));
  }
  if (!turns.is_mirrored) return copies;
  const size_t upright = copies.size();
  for (size_t i = 0; i < upright; ++i) copies.push_back(at::flip(copies[i], {3}));
  return copies;
}

}  // namespace crane::normals
