// Connected regions of an anomaly map.
#pragma once

#include <cstdint>
#include <vector>

namespace crane::image {

// An 8-connected area of values at or above the threshold, in pixels of the map.
struct Region {
  int64_t x;  // bounding box
  int64_t y;
  int64_t width;
  int64_t height;
  int64_t area;  // pixels
  float peak;
  double mean;
};

// Largest peak first; equal peaks in reading order of their first pixel. NaN is never part of a region.
// map: [height, width]. Linear in the number of pixels. Errors: E_IMAGE_SHAPE, E_IMAGE_TOO_LARGE.
std::vector<Region> find_regions(const float* map, int64_t width, int64_t height, double threshold);

}  // namespace crane::image
