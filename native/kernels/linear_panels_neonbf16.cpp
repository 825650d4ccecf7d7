#if defined(__aarch64__)

#include "kernels/vec_neonbf16.h"
//
#include "kernels/faces.h"
#include "kernels/linear_rows.h"
#include "kernels/neon_matrices.h"
#include "kernels/scratch.h"

namespace crane::kernels {
namespace {

// Sums of 6 x 16 fill 24 of the 32 registers, as in float32.
constexpr int k_rows = 6;
constexpr int64_t k_block_bytes = 240 << 10;  // packed rows

struct Bfloat16Products {
  static float32x4_t add(float32x4_t sums, float32x4_t rows, float32x4_t columns) {
    return vbfmmlaq_f32(sums, vreinterpretq_bf16_f32(rows), vreinterpretq_bf16_f32(columns));
  }
};

// A block of rows is packed whole, [panel] as neon_matrices.h has it; against it run the packed weights,
// panel by panel, and a tile of sums stays in registers over the whole depth.
class LinearKernel : public LinearRows<Vec, k_rows> {
  using Tiles = MatrixTiles<Bfloat16Products, k_rows>;

 public:
  static void run(const LinearPanels& job, const PanelRange& range) {
    thread_local Scratch scratch;
    constexpr int64_t step = PairCells::k_values * Tiles::k_cells_together;
    const int64_t cells = (job.depth + step - 1) / step * Tiles::k_cells_together;
    const int64_t fitting = k_block_bytes / 4 / (cells * k_rows);
    const int64_t panels = fitting < 1 ? 1 : fitting > k_most_panels ? k_most_panels : fitting;
    LinearKernel kernel(job, cells, scratch.floats(panels * k_rows * (2 + cells)), panels);
    for (int64_t panel = range.first_rows; panel < range.last_rows; panel += panels) {
      const int64_t last = panel + panels < range.last_rows ? panel + panels : range.last_rows;
      kernel.use_rows(panel * k_rows, last * k_rows < job.rows ? last * k_rows : job.rows);
      for (int64_t r = kernel.first_; r < kernel.end_; r += k_rows) kernel.pack(r);
      for (int64_t c = range.first_columns; c < range.last_columns; ++c) kernel.multiply(c);
    }
  }

 private:
  static constexpr int64_t k_most_panels = 32;

  LinearKernel(const LinearPanels& job, int64_t cells, float* memory, int64_t panels)
      : LinearRows(job, memory), cells_(cells), packed_(memory + 2 * panels * k_rows) {}

  // Rows [first, first + k_rows); rows behind the last are zero.
  void pack(int64_t first) const {
    float* dst = packed_ + (first - first_) * cells_;
    for (int64_t k = 0; k < cells_; k += k_lanes) {
      const Lanes parts[] = {lanes_at(2 * k), lanes_at(2 * k + k_lanes)};
      Reg tile[k_lanes];
      for (int i = 0; i < k_rows; ++i) {
        Reg x[] = {Vec::zero(), Vec::zero()};
        for (int v = 0; v < 2 && first + i < end_; ++v) x[v] = values_of(first + i, parts[v]);
        tile[i] = PairCells::from(x);
      }
      Tiles::lay(tile, cells_ - k < k_lanes ? cells_ - k : k_lanes, dst + k * k_rows);
    }
  }

  void multiply(int64_t panel) const {
    const int64_t column = panel * k_columns;
    const float* weight = job_.weight + panel * cells_ * k_columns;
    float* dst = dst_of(column);
    for (int64_t r = first_; r < end_; r += k_rows) {
      Reg sum[k_rows][2];
      Tiles::product(packed_ + (r - first_) * cells_, weight, cells_, sum);
      finish(sum, r, column, /*is_first=*/true, /*is_last=*/true, dst + r * job_.dst_row_stride);
    }
  }

  int64_t cells_;
  float* packed_;
};

}  // namespace

const LinearFace k_linear_neonbf16 = {k_rows,
                                      LinearKernel::k_columns,
                                      PairCells::k_values,
                                      LinearKernel::run,
                                      /*cell_multiple=*/2,
                                      /*block_panels=*/8,
                                      /*cells_together=*/2};

}  // namespace crane::kernels

#endif
