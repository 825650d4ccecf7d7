// AMX's tiles: eight registers of 16 rows of 64 bytes, and products of two of them added to a third. Included
// by the *_amx*.cpp files only. Whether the operating system grants them says Isa (core/isa.h).
//
// A left factor's row holds a stretch of its depth; a right factor's row holds, for each of 16 columns, as
// many values of the depth as four bytes take (cells.h).
#pragma once

#include <cstdint>

namespace crane::kernels {

constexpr int64_t k_tile_side = 16;       // rows of a tile, and cells of a row
constexpr int64_t k_tile_row_bytes = 64;  // 16 floats, 32 bfloat16 values or 64 of int8

namespace {

// All eight tiles at their largest, for the calling thread, as long as it lives. Tiles are caller's: a call
// of anything else that uses them ends what they hold.
class Tiles {
 public:
  Tiles() {
    struct alignas(64) {
      uint8_t palette = 1;
      uint8_t start_row = 0;
      uint8_t reserved[14] = {};
      uint16_t row_bytes[16] = {};
      uint8_t rows[16] = {};
    } shapes;
    for (int tile = 0; tile < 8; ++tile) {
      shapes.row_bytes[tile] = k_tile_row_bytes;
      shapes.rows[tile] = k_tile_side;
    }
    asm volatile("ldtilecfg %0" : : "m"(shapes));
  }
  ~Tiles() { asm volatile("tilerelease" : : : "memory"); }
  Tiles(const Tiles&) = delete;
  Tiles& operator=(const Tiles&) = delete;
};

// The compiler knows nothing of tiles, so each of these is a barrier for memory.

// `pitch` bytes from row to row.
template <int k_tile>
inline __attribute__((always_inline)) void load_tile(const void* from, int64_t pitch) {
  asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(from), "r"(pitch), "i"(k_tile) : "memory");
}

template <int k_tile>
inline __attribute__((always_inline)) void store_tile(void* to, int64_t pitch) {
  asm volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(to), "r"(pitch), "i"(k_tile) : "memory");
}

template <int k_tile>
inline __attribute__((always_inline)) void clear_tile() {
  asm volatile("tilezero %%tmm%c0" : : "i"(k_tile));
}

// k_sums += k_left k_right in bfloat16: pairs in the order of the depth, each product added in one rounding;
// subnormal numbers count as zero.
template <int k_sums, int k_left, int k_right>
inline __attribute__((always_inline)) void add_bfloat16_product() {
  asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(k_sums), "i"(k_left), "i"(k_right));
}

// k_sums += k_left k_right, unsigned times signed, exact.
template <int k_sums, int k_left, int k_right>
inline __attribute__((always_inline)) void add_int8_product() {
  asm volatile("tdpbusd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(k_sums), "i"(k_left), "i"(k_right));
}

}  // namespace
}  // namespace crane::kernels
