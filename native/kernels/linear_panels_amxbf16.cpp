#if defined(__x86_64__) && defined(__linux__)

#include "kernels/vec_avx512bf16.h"
//
#include "kernels/amx_tiles.h"
#include "kernels/faces.h"
#include "kernels/linear_rows.h"
#include "kernels/scratch.h"
#include "kernels/tuning.h"

namespace crane::kernels {
namespace {

constexpr int64_t k_rows = 2 * k_tile_side;
constexpr int64_t k_step = 2 * k_tile_side;  // values of the depth in a tile

// A tile of 32 x 32 sums in four of the eight registers. A block of rows is packed whole, [panel][steps][32
// rows] of 64 bytes; against it run the packed weights, panel by panel, in stretches of the depth that stay
// in the first-level cache while the block goes by. Sums wait in memory, between stretches as they are, so
// that the length of a stretch changes no bit, and until a group of panels is done: rows of the result lie
// apart by whole pages, so each is visited for as many columns as possible.
class LinearKernel : public LinearRows<Vec, k_rows> {
  static constexpr int64_t k_stretch = 8;                        // steps: 16 KB of weights
  static constexpr int64_t k_group = 4;                          // panels of columns whose sums wait
  static constexpr int64_t k_block_bytes = 1 << 20;              // packed rows: half of a second-level cache
  static constexpr int64_t k_panel_step = k_rows * k_tile_side;  // cells of a panel of rows in one step
  static constexpr int64_t k_sums = k_rows * k_columns;

 public:
  static void run(const LinearPanels& job, const PanelRange& range) {
    thread_local Scratch scratch;
    const int64_t steps = (job.depth + k_step - 1) / k_step;
    const int64_t fitting = tuning().tile_block_bytes / (steps * k_panel_step * 4);
    const int64_t wanted = range.last_rows - range.first_rows;
    const int64_t panels = fitting < 1 ? 1 : fitting < wanted ? fitting : wanted;
    const int64_t packed = panels * steps * k_panel_step;
    float* memory = scratch.floats(packed + panels * k_group * k_sums + 2 * panels * k_rows);
    const Tiles tiles;
    LinearKernel kernel(job, memory, packed, panels * k_group * k_sums);
    for (int64_t panel = range.first_rows; panel < range.last_rows; panel += panels) {
      const int64_t last = panel + panels < range.last_rows ? panel + panels : range.last_rows;
      kernel.use_rows(panel * k_rows, last * k_rows < job.rows ? last * k_rows : job.rows);
      kernel.pack(steps);
      for (int64_t c = range.first_columns; c < range.last_columns; c += k_group) {
        const int64_t end = c + k_group < range.last_columns ? c + k_group : range.last_columns;
        for (int64_t each = c; each < end; ++each) kernel.multiply(each, each - c, steps);
        kernel.finish_group(c, end);
      }
    }
  }

 private:
  LinearKernel(const LinearPanels& job, float* memory, int64_t packed, int64_t sums)
      : LinearRows(job, memory + packed + sums), packed_(memory), sums_(memory + packed) {}

  // The block's rows; those behind the last are zero.
  void pack(int64_t steps) const {
    for (int64_t first = first_; first < end_; first += k_rows) {
      float* dst = packed_ + (first - first_) / k_rows * steps * k_panel_step;
      for (int64_t r = 0; r < k_rows; ++r) {
        const int64_t row = first + r;
        for (int64_t step = 0; step < steps; ++step) {
          Vec::Reg x[2] = {Vec::zero(), Vec::zero()};
          if (row < end_) {
            x[0] = values_of(row, lanes_at(step * k_step));
            x[1] = values_of(row, lanes_at(step * k_step + k_lanes));
          }
          Vec::store(dst + step * k_panel_step + r * k_tile_side, PairCells::from(x));
        }
      }
    }
  }

  // One panel of columns, the `place`-th of its group.
  void multiply(int64_t panel, int64_t place, int64_t steps) const {
    for (int64_t from = 0; from < steps; from += k_stretch) {
      const int64_t to = from + k_stretch < steps ? from + k_stretch : steps;
      const float* weight = job_.weight + (panel * steps + from) * k_tile_side * k_columns;
      for (int64_t r = first_; r < end_; r += k_rows) {
        const int64_t block = (r - first_) / k_rows;
        add_product(packed_ + (block * steps + from) * k_panel_step, weight, to - from, from == 0,
                    sums_ + (block * k_group + place) * k_sums);
      }
    }
  }

  // Panels [first, last) of columns.
  void finish_group(int64_t first, int64_t last) const {
    const float* sums = sums_;
    for (int64_t r = first_; r < end_; r += k_rows, sums += k_group * k_sums) {
      for (int64_t panel = first; panel < last; ++panel) {
        const int64_t column = panel * k_columns;
        finish_tile(sums + (panel - first) * k_sums, r, column, true, true,
                    dst_of(column) + r * job_.dst_row_stride);
      }
    }
  }

  static __attribute__((noinline)) void add_product(const float* rows, const float* weight, int64_t steps,
                                                    bool is_first, float* sums) {
    constexpr int64_t pitch = k_columns * 4;
    if (is_first) {
      clear_tile<0>();
      clear_tile<1>();
      clear_tile<2>();
      clear_tile<3>();
    } else {
      load_tile<0>(sums, pitch);
      load_tile<1>(sums + k_tile_side, pitch);
      load_tile<2>(sums + k_tile_side * k_columns, pitch);
      load_tile<3>(sums + k_tile_side * k_columns + k_tile_side, pitch);
    }
    for (int64_t step = 0; step < steps; ++step) {
      load_tile<4>(rows, k_tile_row_bytes);
      load_tile<6>(weight, pitch);
      add_bfloat16_product<0, 4, 6>();
      load_tile<7>(weight + k_tile_side, pitch);
      add_bfloat16_product<1, 4, 7>();
      load_tile<5>(rows + k_tile_side * k_tile_side, k_tile_row_bytes);
      add_bfloat16_product<2, 5, 6>();
      add_bfloat16_product<3, 5, 7>();
      rows += k_panel_step;
      weight += k_tile_side * k_columns;
    }
    store_tile<0>(sums, pitch);
    store_tile<1>(sums + k_tile_side, pitch);
    store_tile<2>(sums + k_tile_side * k_columns, pitch);
    store_tile<3>(sums + k_tile_side * k_columns + k_tile_side, pitch);
  }

  float* packed_;  // cells
  float* sums_;    // [panels of rows][k_group][k_rows][k_columns]
};

}  // namespace

const LinearFace k_linear_amxbf16 = {k_rows,
                                     LinearKernel::k_columns,
                                     PairCells::k_values,
                                     LinearKernel::run,
                                     /*cell_multiple=*/k_tile_side,
                                     /*block_panels=*/8};

}  // namespace crane::kernels

#endif
