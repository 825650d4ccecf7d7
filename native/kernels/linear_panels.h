// dst = activation(normalised(src) W^T + b), or dst += the same without activation, with W packed once.
//
// Operands lie in cells of four bytes: one float, or two bfloat16 values that follow each other in depth,
// with sums in float32 either way; or four int8 values with exact sums (int8.h). Everything outside the
// packed weights is float32.
//
// In int8 some values of every row may be kept as they are, its outliers, whose places are the layer's: one
// that is much larger than the others would take their digits. The result is
//   step_row step_column sum (u - zero) q + sum over outliers x w + b,
// each outlier's product added to what is there in one rounding, in the order of their places.
//
// Rows are taken in panels of `rows`, columns of the result in panels of `columns`; a row's bits depend on
// that row, W and b alone, never on how many rows there are or how the panels are split over threads.
#pragma once

#include <cstdint>
#include <span>

namespace crane::kernels {

enum class Epilogue { store, add, quick_gelu, gelu };

struct LinearPanels {
  const float* src = nullptr;  // [rows, depth]
  int64_t src_stride = 0;
  int64_t rows = 0;
  int64_t depth = 0;
  // LayerNorm of every row on its way into the panel; null: rows as they are.
  const float* norm_weight = nullptr;  // [depth]
  const float* norm_bias = nullptr;    // [depth]
  double norm_eps = 0;
  // Places in the depth, ascending, that int8 keeps as floats; the same as when the weights were packed.
  const int32_t* outliers = nullptr;
  int64_t outlier_count = 0;
  const float* weight = nullptr;  // packed: [panels][cells of depth][columns], see LinearFace::place
  const float* bias = nullptr;    // [out]
  int64_t out = 0;
  float* dst = nullptr;  // column c of row r: dst[c / group * group_stride + r * row_stride + c % group]
  int64_t dst_row_stride = 0;
  int64_t dst_group = 0;  // a multiple of `columns`, or at least `out`
  int64_t dst_group_stride = 0;
  Epilogue epilogue = Epilogue::store;
};

struct PanelRange {
  int64_t first_rows = 0;  // panels of rows [first, last)
  int64_t last_rows = 0;
  int64_t first_columns = 0;  // panels of columns [first, last)
  int64_t last_columns = 0;
};

struct LinearFace {
  int64_t rows;
  int64_t columns;
  int64_t cell_values;  // values of the depth in four bytes: 1 float32, 2 bfloat16 or 4 int8
  void (*run)(const LinearPanels& job, const PanelRange& range);
  int64_t cell_multiple = 1;   // the depth is packed as a multiple of so many cells
  int64_t block_panels = 8;    // panels of rows that pass over the weights together
  int64_t cells_together = 1;  // of a column, one behind the other; divides cell_multiple

  int64_t row_panels(int64_t count) const { return (count + rows - 1) / rows; }
  int64_t column_panels(int64_t out) const { return (out + columns - 1) / columns; }
  bool is_int8() const { return cell_values == 4; }
  // What a column takes in its panel, in cells: the depth and, in int8, the step, the sum of q and the
  // weights of the outliers.
  int64_t cells(int64_t depth, int64_t outliers = 0) const {
    const int64_t step = cell_values * cell_multiple;
    return (depth + step - 1) / step * cell_multiple + (is_int8() ? 2 + outliers : 0);
  }
  // Where a panel of packed weights holds a cell of the depth of one of its columns.
  int64_t place(int64_t cell, int64_t column) const {
    const int64_t within = cell % cells_together;
    return (cell - within) * columns + column * cells_together + within;
  }
  // The packed weights' size in cells, four bytes each.
  int64_t packed_floats(int64_t out, int64_t depth, int64_t outliers = 0) const {
    return column_panels(out) * columns * cells(depth, outliers);
  }
  // weight [out, depth] -> the packed column panels [first, last) in their places; zero behind the last
  // column and the end of the depth. outliers: see LinearPanels.
  void pack(const float* weight, int64_t out, int64_t depth, int64_t first, int64_t last, float* packed,
            std::span<const int32_t> outliers = {}) const;
};

}  // namespace crane::kernels
