// Tiles of 16 rows of 64 bytes: six of sums, one of each factor. A thread sets their shapes before it uses
// them.
#if defined(__x86_64__) && defined(__linux__)

#include <immintrin.h>

#include <cstring>

#include "kernels/faces.h"
#include "kernels/peak_kernel.h"

namespace crane::kernels {
namespace {

constexpr int k_side = 16;
constexpr int k_row_bytes = 64;
constexpr int k_tiles = 6;
constexpr int k_tile_results = k_side * k_side;

struct alignas(64) TileShapes {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};

void set_shapes() {
  TileShapes shapes;
  for (int tile = 0; tile < k_tiles + 2; ++tile) {
    shapes.row_bytes[tile] = k_row_bytes;
    shapes.rows[tile] = k_side;
  }
  _tile_loadconfig(&shapes);
}

// bfloat16 of a number that it holds exactly.
uint16_t to_bf16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return static_cast<uint16_t>(bits >> 16);
}
uint8_t to_byte(float value) { return static_cast<uint8_t>(static_cast<int>(value)); }

// Rows of the left factor hold all of its depth; a row of the right one holds, for each column, as many
// numbers as four bytes take.
template <typename Value, Value (*convert)(float)>
void fill_factors(const PeakJob& job, Value* left, Value* right) {
  constexpr int k_values = k_row_bytes / static_cast<int>(sizeof(Value));
  constexpr int k_group = 4 / static_cast<int>(sizeof(Value));
  for (int row = 0; row < k_side; ++row) {
    for (int at = 0; at < k_values; ++at) {
      left[row * k_values + at] = convert(job.left[at]);
      right[row * k_values + at] = convert(job.right[row * k_group + at % k_group]);
    }
  }
}

void load_sums(const void* sums) {
  const auto* bytes = static_cast<const uint8_t*>(sums);
  constexpr int64_t k_bytes = int64_t{k_side} * k_row_bytes;
  _tile_loadd(0, bytes, k_row_bytes);
  _tile_loadd(1, bytes + k_bytes, k_row_bytes);
  _tile_loadd(2, bytes + 2 * k_bytes, k_row_bytes);
  _tile_loadd(3, bytes + 3 * k_bytes, k_row_bytes);
  _tile_loadd(4, bytes + 4 * k_bytes, k_row_bytes);
  _tile_loadd(5, bytes + 5 * k_bytes, k_row_bytes);
}

void store_sums(void* sums) {
  auto* bytes = static_cast<uint8_t*>(sums);
  constexpr int64_t k_bytes = int64_t{k_side} * k_row_bytes;
  _tile_stored(0, bytes, k_row_bytes);
  _tile_stored(1, bytes + k_bytes, k_row_bytes);
  _tile_stored(2, bytes + 2 * k_bytes, k_row_bytes);
  _tile_stored(3, bytes + 3 * k_bytes, k_row_bytes);
  _tile_stored(4, bytes + 4 * k_bytes, k_row_bytes);
  _tile_stored(5, bytes + 5 * k_bytes, k_row_bytes);
}

void run_bf16(const PeakJob& job) {
  alignas(64) uint16_t left[k_side * 32];
  alignas(64) uint16_t right[k_side * 32];
  fill_factors<uint16_t, to_bf16>(job, left, right);
  set_shapes();
  load_sums(job.results);
  _tile_loadd(6, left, k_row_bytes);
  _tile_loadd(7, right, k_row_bytes);
  for (int64_t step = 0; step < job.steps; ++step) {
    _tile_dpbf16ps(0, 6, 7);
    _tile_dpbf16ps(1, 6, 7);
    _tile_dpbf16ps(2, 6, 7);
    _tile_dpbf16ps(3, 6, 7);
    _tile_dpbf16ps(4, 6, 7);
    _tile_dpbf16ps(5, 6, 7);
  }
  store_sums(job.results);
  _tile_release();
}

void run_int8(const PeakJob& job) {
  alignas(64) uint8_t left[k_side * 64];
  alignas(64) uint8_t right[k_side * 64];
  alignas(64) int32_t sums[k_tiles * k_tile_results];
  fill_factors<uint8_t, to_byte>(job, left, right);
  for (int i = 0; i < k_tiles * k_tile_results; ++i) sums[i] = static_cast<int32_t>(job.results[i]);
  set_shapes();
  load_sums(sums);
  _tile_loadd(6, left, k_row_bytes);
  _tile_loadd(7, right, k_row_bytes);
  for (int64_t step = 0; step < job.steps; ++step) {
    _tile_dpbusd(0, 6, 7);
    _tile_dpbusd(1, 6, 7);
    _tile_dpbusd(2, 6, 7);
    _tile_dpbusd(3, 6, 7);
    _tile_dpbusd(4, 6, 7);
    _tile_dpbusd(5, 6, 7);
  }
  store_sums(sums);
  _tile_release();
  for (int i = 0; i < k_tiles * k_tile_results; ++i) job.results[i] = static_cast<float>(sums[i]);
}

}  // namespace

const PeakFace k_peak_amx_bf16 = {int64_t{k_tiles} * k_tile_results, 32, run_bf16};
const PeakFace k_peak_amx_int8 = {int64_t{k_tiles} * k_tile_results, 64, run_int8};

}  // namespace crane::kernels

#endif
