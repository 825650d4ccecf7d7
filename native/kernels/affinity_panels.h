// D-Attn's masked softmax of cosines over panels of rows (method.md 4): one pass, no [n, n] matrix.
//
//   s_ij = (z_i z_j - shift) * gain;   w_ij = exp(s_ij) where s_ij >= 0, else 0;   dst_i = sum_j w_ij v_j /
//   sum_j w_ij
//
// Unit rows keep s below gain, so the exponentials need no maximum taken off. Keys that no row of a panel
// keeps are left out of the product with the values.
#pragma once

#include <cstdint>

namespace crane::kernels {

struct AffinityPanels {
  const float* features = nullptr;  // [count, depth], one row after the other
  int64_t count = 0;
  int64_t depth = 0;
  float shift = 0;
  float gain = 1;
  const float* values = nullptr;  // [count, width], width a multiple of `channels`
  int64_t values_stride = 0;
  int64_t width = 0;
  bool keeps_self = true;   // what a row does that keeps nothing: itself, or NaN
  float* dst = nullptr;     // [count, width], one row after the other
  float* packed = nullptr;  // memory of packed_floats(), aligned to 64 bytes, filled by pack()
};

struct AffinityFace {
  int64_t panel;     // rows of a task
  int64_t keys;      // rows of a tile of keys
  int64_t channels;  // the width of the values is a multiple of this
  // Tiles of keys [first, last): before any run().
  void (*pack)(const AffinityPanels& job, int64_t first, int64_t last);
  // Panels [first, last). Returns how many keys entered the products with the values, of at most `count` a
  // panel.
  int64_t (*run)(const AffinityPanels& job, int64_t first, int64_t last);

  int64_t tiles(const AffinityPanels& job) const { return (job.count + keys - 1) / keys; }
  int64_t panels(const AffinityPanels& job) const { return (job.count + panel - 1) / panel; }
  // Each tile with a vector of slack.
  int64_t packed_floats(const AffinityPanels& job) const { return tiles(job) * tile_floats(job); }
  int64_t tile_floats(const AffinityPanels& job) const { return (job.depth * keys + 16 + 15) / 16 * 16; }
};

}  // namespace crane::kernels
