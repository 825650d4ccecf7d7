#include "methods/winclip/window_features.h"

#include <algorithm>

#include "cuda/tensors.h"
#include "vision/windows.h"

namespace crane::methods::winclip {
namespace {

// Token rows that pass the blocks at once. On a CPU the MLP's hidden layer of so many stays small (30 MB for
// ViT-L); a GPU wants more to be filled.
constexpr int64_t k_rows_on_cpu = 2048;
constexpr int64_t k_rows_on_gpu = 1 << 16;

// tokens [B, 1 + N, width], rows [W, R] -> [B, W, D].
at::Tensor class_features(const vision::Tower& tower, const at::Tensor& tokens, const at::Tensor& rows) {
  const int64_t most = cuda::runs_batches(tokens.device()) ? k_rows_on_gpu : k_rows_on_cpu;
  const int64_t at_once = std::max<int64_t>(1, most / (rows.size(1) * tokens.size(0)));
  std::vector<at::Tensor> features;
  for (int64_t first = 0; first < rows.size(0); first += at_once) {
    const at::Tensor some = rows.slice(0, first, std::min(first + at_once, rows.size(0)));
    const at::Tensor cls =
        vision::run_blocks(tower.blocks(), vision::gather_windows(tokens, some), vision::Taps{}).plain;
    features.push_back(
        layers::unit_rows(tower.project(cls)).view({tokens.size(0), some.size(0), tower.joint_width()}));
  }
  return features.size() == 1 ? features.front() : at::cat(features, /*dim=*/1);
}

}  // namespace

std::vector<at::Tensor> window_features(const vision::Tower& tower, const at::Tensor& image,
                                        const std::vector<int64_t>& sides) {
  const vision::Grid grid = tower.grid_of(image);
  std::vector<at::Tensor> rows;  // all of them first: a side that does not fit costs nothing
  rows.reserve(sides.size());
  for (const int64_t side : sides) rows.push_back(vision::window_rows(grid, side, image.device()));
  at::Tensor tokens = tower.embed(image);
  if (tower.registers() > 0) {
    // A window is a class token and its patches; registers belong to no place.
    tokens = at::cat({tokens.slice(1, 0, 1), tokens.slice(1, 1 + tower.registers())}, /*dim=*/1);
  }
  std::vector<at::Tensor> features;
  features.reserve(rows.size());
  for (const at::Tensor& of_side : rows) features.push_back(class_features(tower, tokens, of_side));
  return features;
}

}  // namespace crane::methods::winclip
