#include "vision/windows.h"

#include "core/error.h"

namespace crane::vision {

at::Tensor window_rows(Grid grid, int64_t side, at::Device device) {
  check_input(side >= 1 && side <= grid.height && side <= grid.width, "E_MODEL_CONFIG", "windows of ", side,
              " x ", side, " patches do not fit a grid of ", grid.width, " x ", grid.height);
  const int64_t down = grid.height - side + 1;
  const int64_t across = grid.width - side + 1;
  const at::Tensor rows = at::empty({down * across, 1 + side * side}, at::TensorOptions().dtype(at::kLong));
  int64_t* next = rows.mutable_data_ptr<int64_t>();
  for (int64_t top = 0; top < down; ++top) {
    for (int64_t left = 0; left < across; ++left) {
      *next++ = 0;
      for (int64_t y = top; y < top + side; ++y) {
        for (int64_t x = left; x < left + side; ++x) *next++ = 1 + y * grid.width + x;
      }
    }
  }
  return rows.to(device);
}

at::Tensor gather_windows(const at::Tensor& tokens, const at::Tensor& rows) {
  return tokens.index_select(1, rows.flatten())
      .view({tokens.size(0) * rows.size(0), rows.size(1), tokens.size(2)});
}

}  // namespace crane::vision
