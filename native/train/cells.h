// What nearest upsampling of the patch grid to the model's input assigns to each cell: its pixels, and those
// of them that a mask calls anomalous (method.md 7). No tensor library: runs on any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace crane::train {

struct CellGrid {
  int64_t height = 0;  // cells
  int64_t width = 0;
};

// Anomalous pixels of each cell, [grid.height * grid.width] row-major, of the mask that the name tells from
// others of the same picture.
struct MaskCells {
  std::string name;
  std::vector<uint32_t> anomalous;
};

// Cell that each of `size` pixels reads along one side: torch's nearest rule, in float32 as torch computes
// it.
std::vector<int64_t> nearest_cells(int64_t size, int64_t cells);

// Pixels of each cell, [grid.height * grid.width], of an input of height x width pixels.
std::vector<uint32_t> pixels_per_cell(int64_t height, int64_t width, CellGrid grid);

// mask [height, width] of 0 and 1 -> anomalous pixels of each cell, [grid.height * grid.width].
std::vector<uint32_t> anomalous_per_cell(const uint8_t* mask, int64_t height, int64_t width, CellGrid grid);

}  // namespace crane::train
