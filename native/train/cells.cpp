#include "train/cells.h"

#include <algorithm>

namespace crane::train {

std::vector<int64_t> nearest_cells(int64_t size, int64_t cells) {
  std::vector<int64_t> index(static_cast<size_t>(size));
  const float scale = static_cast<float>(cells) / static_cast<float>(size);
  for (int64_t i = 0; i < size; ++i) {
    index[static_cast<size_t>(i)] = std::min(static_cast<int64_t>(static_cast<float>(i) * scale), cells - 1);
  }
  return index;
}

std::vector<uint32_t> pixels_per_cell(int64_t height, int64_t width, CellGrid grid) {
  const std::vector<uint8_t> all(static_cast<size_t>(height * width), 1);
  return anomalous_per_cell(all.data(), height, width, grid);
}

std::vector<uint32_t> anomalous_per_cell(const uint8_t* mask, int64_t height, int64_t width, CellGrid grid) {
  const std::vector<int64_t> row = nearest_cells(height, grid.height);
  const std::vector<int64_t> column = nearest_cells(width, grid.width);
  std::vector<uint32_t> counts(static_cast<size_t>(grid.height * grid.width));
  for (int64_t y = 0; y < height; ++y) {
    uint32_t* cells = counts.data() + row[static_cast<size_t>(y)] * grid.width;
    for (int64_t x = 0; x < width; ++x) cells[column[static_cast<size_t>(x)]] += mask[y * width + x] != 0;
  }
  return counts;
}

}  // namespace crane::train
