#if defined(__x86_64__) && defined(__linux__)

#include "kernels/vec_avx512int8.h"
//
#include "kernels/amx_tiles.h"
#include "kernels/cells.h"
#include "kernels/faces.h"
#include "kernels/int8_rows.h"
#include "kernels/scratch.h"
#include "kernels/tile_product.h"

namespace crane::kernels {
namespace {

constexpr int64_t k_rows = 2 * k_tile_side;
constexpr int64_t k_step = 4 * k_tile_side;  // values of the depth in a tile

// A tile of 32 x 32 sums in four of the eight registers, over the whole depth. A block of rows is packed as
// [panel][steps][32 rows] of 64 bytes; against it run the packed weights, panel by panel. Sums wait until a
// group of panels is done: rows of the result lie apart by whole pages, so each is visited for as many
// columns as possible.
class LinearKernel : public Int8Rows<Vec, k_rows> {
  static constexpr int64_t k_group = 4;                          // panels of columns whose sums wait
  static constexpr int64_t k_block_bytes = 1 << 20;              // packed rows: half of a second-level cache
  static constexpr int64_t k_panel_step = k_rows * k_tile_side;  // cells of a panel of rows in one step
  static constexpr int64_t k_sums = k_rows * k_columns;

 public:
  static void run(const LinearPanels& job, const PanelRange& range) {
    thread_local Scratch scratch;
    const int64_t steps = (job.depth + k_step - 1) / k_step;
    const int64_t fitting = k_block_bytes / (steps * k_panel_step * 4);
    const int64_t wanted = range.last_rows - range.first_rows;
    const int64_t panels = fitting < 1 ? 1 : fitting < wanted ? fitting : wanted;
    const int64_t packed = panels * steps * k_panel_step;
    const int64_t sums = panels * k_group * k_sums;
    float* memory = scratch.floats(packed + sums + needed(job, panels) + row_floats(job));
    const Tiles tiles;
    LinearKernel kernel(job, panels, memory + packed + sums);
    kernel.steps_ = steps;
    kernel.packed_ = memory;
    kernel.sums_ = memory + packed;
    for (int64_t panel = range.first_rows; panel < range.last_rows; panel += panels) {
      const int64_t last = panel + panels < range.last_rows ? panel + panels : range.last_rows;
      kernel.use_rows(panel * k_rows, last * k_rows < job.rows ? last * k_rows : job.rows);
      for (int64_t r = panel * k_rows; r < last * k_rows; ++r) kernel.pack(r);
      for (int64_t c = range.first_columns; c < range.last_columns; c += k_group) {
        const int64_t end = c + k_group < range.last_columns ? c + k_group : range.last_columns;
        for (int64_t each = c; each < end; ++each) kernel.multiply(each, each - c);
        kernel.finish_group(c, end);
      }
    }
  }

 private:
  LinearKernel(const LinearPanels& job, int64_t panels, float* memory)
      : Int8Rows(job, panels, memory), row_(memory + needed(job, panels)) {}

  void pack(int64_t r) {
    measure_row(r, row_);
    const int64_t at = r - first_;
    const RowScale scale = scales_[at];
    float* dst = packed_ + at / k_rows * steps_ * k_panel_step + at % k_rows * k_tile_side;
    for (int64_t step = 0; step < steps_; ++step, dst += k_panel_step) {
      const float* from = row_ + step * k_step;
      const Vec::Reg x[4] = {Vec::load(from), Vec::load(from + k_lanes), Vec::load(from + 2 * k_lanes),
                             Vec::load(from + 3 * k_lanes)};
      Vec::store(dst, ByteCells::from(x, scale.inverse, scale.zero));
    }
  }

  const float* weight_of(int64_t panel) const {
    return job_.weight + panel * (steps_ * k_tile_side + 2 + job_.outlier_count) * k_columns;
  }

  // One panel of columns, the `place`-th of its group.
  void multiply(int64_t panel, int64_t place) const {
    for (int64_t r = first_; r < end_; r += k_rows) {
      const int64_t block = (r - first_) / k_rows;
      product(packed_ + block * steps_ * k_panel_step, weight_of(panel), steps_,
              sums_ + (block * k_group + place) * k_sums);
    }
  }

  // Panels [first, last) of columns.
  void finish_group(int64_t first, int64_t last) const {
    float* sums = sums_;
    for (int64_t r = first_; r < end_; r += k_rows, sums += k_group * k_sums) {
      for (int64_t panel = first; panel < last; ++panel) {
        const int64_t column = panel * k_columns;
        float* tile = sums + (panel - first) * k_sums;
        scale_and_add_outliers(r, weight_of(panel) + steps_ * k_tile_side * k_columns, tile);
        finish_tile(tile, r, column, true, true, dst_of(column) + r * job_.dst_row_stride);
      }
    }
  }

  static __attribute__((noinline)) void product(const float* rows, const float* weight, int64_t steps,
                                                float* sums) {
    constexpr int64_t pitch = k_columns * 4;
    clear_tile<0>();
    clear_tile<1>();
    clear_tile<2>();
    clear_tile<3>();
    for (int64_t step = 0; step < steps; ++step) {
      load_tile<4>(rows, k_tile_row_bytes);
      load_tile<6>(weight, pitch);
      add_int8_product<0, 4, 6>();
      load_tile<7>(weight + k_tile_side, pitch);
      add_int8_product<1, 4, 7>();
      load_tile<5>(rows + k_tile_side * k_tile_side, k_tile_row_bytes);
      add_int8_product<2, 5, 6>();
      add_int8_product<3, 5, 7>();
      rows += k_panel_step;
      weight += k_tile_side * k_columns;
    }
    store_tile<0>(sums, pitch);
    store_tile<1>(sums + k_tile_side, pitch);
    store_tile<2>(sums + k_tile_side * k_columns, pitch);
    store_tile<3>(sums + k_tile_side * k_columns + k_tile_side, pitch);
  }

  // What LinearPanels defines of whole sums, in place; eight rows at a time stay in registers.
  void scale_and_add_outliers(int64_t row, const float* beside, float* sums) const {
    constexpr int k_part = 8;
    const float* outliers = outliers_ + (row - first_) * job_.outlier_count;
    for (int64_t from = 0; from < k_rows; from += k_part) {
      Vec::Reg part[k_part][2];
      for (int h = 0; h < 2; ++h) {
        const Vec::Reg steps = Vec::load(beside + h * k_lanes);
        const Vec::Reg whole = Vec::load(beside + k_columns + h * k_lanes);
#pragma GCC unroll 8
        for (int i = 0; i < k_part; ++i) {
          const RowScale& scale = scales_[row - first_ + from + i];
          part[i][h] = ByteCells::floats(Vec::load(sums + (from + i) * k_columns + h * k_lanes), scale.zero,
                                         whole, Vec::mul(Vec::set1(scale.step), steps));
        }
      }
      add_tile_product<Vec, k_part>(outliers + from, k_rows, 1, beside + 2 * k_columns, job_.outlier_count,
                                    part, FloatCells<Vec>::dot);
#pragma GCC unroll 8
      for (int i = 0; i < k_part; ++i) {
        for (int h = 0; h < 2; ++h) Vec::store(sums + (from + i) * k_columns + h * k_lanes, part[i][h]);
      }
    }
  }

  int64_t steps_ = 0;
  float* packed_ = nullptr;  // cells
  float* sums_ = nullptr;    // [panels][k_group][k_rows][k_columns]
  float* row_;               // [row_floats]
};

}  // namespace

const LinearFace k_linear_amxint8 = {k_rows, LinearKernel::k_columns, /*cell_values=*/4, LinearKernel::run,
                                     /*cell_multiple=*/k_tile_side};

}  // namespace crane::kernels

#endif
