// The 8-connected regions of a ground-truth mask, as runs of pixels.
#pragma once

#include <cstdint>
#include <vector>

namespace crane::metrics {

// Pixels [begin, end) of the flat mask, all in one row and one region.
struct MaskRun {
  int64_t begin;
  int64_t end;
  uint32_t region;  // index into areas
};

struct MaskRegions {
  std::vector<MaskRun> runs;    // in reading order
  std::vector<uint64_t> areas;  // pixels; regions in the order of their first pixel
};

// mask: [height, width]; every value but 0 is anomalous. Linear in the number of pixels.
MaskRegions label_mask(const uint8_t* mask, int64_t width, int64_t height);

}  // namespace crane::metrics
