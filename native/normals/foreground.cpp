#include "normals/foreground.h"

#include <ATen/ops/linalg_eigh.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/mv.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <vector>

#include "core/cancel.h"
#include "core/error.h"

namespace crane::normals {
namespace {

// A border that shows less of one thing than this is no border before which something stands.
constexpr double k_least_border = 0.9;
// Share of the variance that is between the two parts: of one even spread it is 0.75.
constexpr double k_least_apart = 0.85;
// Of the cells: with fewer that stay, or fewer that go, nothing is told.
constexpr double k_least_part = 0.05;

using Cells = std::vector<char>;

// Of each row its place along the axis in which the rows vary most.
std::vector<double> along_first_axis(const at::Tensor& rows) {
  const at::Tensor values = rows.to(at::kCPU, at::kDouble);
  const at::Tensor off = values - values.mean(/*dim=*/0, /*keepdim=*/true);
  const auto [_, axes] = at::linalg_eigh(at::mm(off.t(), off));
  const at::Tensor along = at::mv(off, axes.select(1, axes.size(1) - 1)).contiguous();
  const auto* first = along.const_data_ptr<double>();
  return {first, first + along.numel()};
}

struct Cut {
  double at = 0;     // the largest value of the lower part
  double apart = 0;  // share of the variance that is between the parts
};

// Otsu's, between values that differ.
Cut widest_cut(std::vector<double> values) {
  std::ranges::sort(values);
  const auto count = static_cast<double>(values.size());
  double sum = 0;
  double squares = 0;
  for (const double value : values) {
    sum += value;
    squares += value * value;
  }
  const double variance = squares / count - (sum / count) * (sum / count);
  Cut best{values.back(), 0};
  double below = 0;
  double most = 0;
  for (size_t k = 1; k < values.size(); ++k) {
    below += values[k - 1];
    if (values[k] == values[k - 1]) continue;
    const auto lower = static_cast<double>(k);
    const double upper = count - lower;
    const double difference = below / lower - (sum - below) / upper;
    const double between = lower * upper * difference * difference / (count * count);
    if (between > most) {
      most = between;
      best.at = values[k - 1];
    }
  }
  if (variance > 0) best.apart = most / variance;
  return best;
}

template <typename Visit>
void for_neighbours(vision::Grid grid, int64_t cell, int64_t corners, const Visit& visit) {
  const int64_t y = cell / grid.width;
  const int64_t x = cell % grid.width;
  for (int64_t dy = -1; dy <= 1; ++dy) {
    for (int64_t dx = -1; dx <= 1; ++dx) {
      const bool is_inside = y + dy >= 0 && y + dy < grid.height && x + dx >= 0 && x + dx < grid.width;
      const int64_t apart = dy * dy + dx * dx;
      if (is_inside && apart > 0 && apart <= corners) visit((y + dy) * grid.width + x + dx);
    }
  }
}

std::vector<int64_t> border_of(vision::Grid grid) {
  std::vector<int64_t> cells;
  for (int64_t cell = 0; cell < grid.count(); ++cell) {
    const int64_t y = cell / grid.width;
    const int64_t x = cell % grid.width;
    if (y == 0 || y == grid.height - 1 || x == 0 || x == grid.width - 1) cells.push_back(cell);
  }
  return cells;
}

// Cells of `part` that are joined, side by side, to one of these.
Cells reached(const Cells& part, vision::Grid grid, const std::vector<int64_t>& from) {
  Cells seen(part.size(), 0);
  std::vector<int64_t> waiting;
  const auto visit = [&](int64_t cell) {
    const auto at = static_cast<size_t>(cell);
    if (part[at] == 0 || seen[at] != 0) return;
    seen[at] = 1;
    waiting.push_back(cell);
  };
  for (const int64_t cell : from) visit(cell);
  while (!waiting.empty()) {
    const int64_t cell = waiting.back();
    waiting.pop_back();
    for_neighbours(grid, cell, /*corners=*/1, visit);
  }
  return seen;
}

// What is no background, and the cells around it, since a patch at the edge of a thing shows some of both.
at::Tensor grown(const Cells& background, vision::Grid grid) {
  at::Tensor kept = at::zeros({grid.count()}, at::kBool);
  bool* is_kept = kept.mutable_data_ptr<bool>();
  for (int64_t cell = 0; cell < grid.count(); ++cell) {
    if (background[static_cast<size_t>(cell)] != 0) continue;
    is_kept[cell] = true;
    for_neighbours(grid, cell, /*corners=*/2, [&](int64_t beside) { is_kept[beside] = true; });
  }
  return kept;
}

}  // namespace

Foreground foreground_of(const at::Tensor& rows, vision::Grid grid) {
  CRANE_CHECK_INVARIANT(rows.dim() == 2 && rows.size(0) == grid.count(), "the foreground of ", rows.sizes());
  check_shutdown();
  Foreground whole{at::ones({grid.count()}, at::kBool)};
  const std::vector<double> along = along_first_axis(rows);
  const Cut cut = widest_cut(along);
  const std::vector<int64_t> border = border_of(grid);
  const auto above = static_cast<double>(std::ranges::count_if(
                         border, [&](int64_t cell) { return along[static_cast<size_t>(cell)] > cut.at; })) /
                     static_cast<double>(border.size());
  if (cut.apart < k_least_apart || std::max(above, 1 - above) < k_least_border) return whole;
  Cells part(along.size());
  std::ranges::transform(along, part.begin(),
                         [&](double value) { return static_cast<char>((value > cut.at) == (above >= 0.5)); });
  const at::Tensor kept = grown(reached(part, grid, border), grid);
  const int64_t left_out = grid.count() - kept.sum().item<int64_t>();
  const double share = static_cast<double>(left_out) / static_cast<double>(grid.count());
  if (share < k_least_part || share > 1 - k_least_part) return whole;
  return {kept, left_out};
}

}  // namespace crane::normals
