// Anomaly maps: bilinear resizing and the Gaussian (method.md 6). Maps are [height, width] float32,
// row-major, contiguous; src and dst may not overlap. Every result depends on the arguments alone: one
// thread, fixed order.
#pragma once

#include <cstdint>
#include <vector>

namespace crane::image {

// Rows of a map resized bilinearly with align_corners = false, one at a time and in any order, for those who
// do not want the whole resized map in memory. Keeps the last two source rows it stretched.
//
// The float32 operations are those of ATen's CPU kernel with fused multiply-add, and so are the bits, except
// where height + width of the target is 128 or less: there ATen takes a kernel that multiplies the four
// weights out, and values differ by rounding (a few units in the last place, below 1e-6 for maps within [0,
// 1]).
class MapRows {
 public:
  // The source map must outlive this. Errors: E_IMAGE_SHAPE, E_IMAGE_TOO_LARGE.
  MapRows(const float* map, int64_t map_width, int64_t map_height, int64_t width, int64_t height);

  // Row y of the resized map; dst: [width].
  void row(int64_t y, float* dst);

 private:
  const float* stretched(int64_t src_y);

  struct Column {
    int32_t left;
    int32_t right;
    float left_weight;
    float right_weight;
  };

  const float* map_;
  int64_t map_width_;
  int64_t map_height_;
  int64_t height_;
  std::vector<Column> columns_;      // [width]
  std::vector<float> stretched_[2];  // source rows at the target's width
  int64_t stretched_y_[2] = {-1, -1};
};

// dst: [height, width]. Errors: E_IMAGE_SHAPE, E_IMAGE_TOO_LARGE.
void resize_map(const float* map, int64_t map_width, int64_t map_height, int64_t width, int64_t height,
                float* dst);

// Gaussian blur as scipy.ndimage.gaussian_filter does it on float32: weights and sums in double, first down
// the columns, rounded to float32, then along the rows; cut at 4 sigma (the cut is part of the result, not a
// speed choice); borders reflected with the edge sample repeated. sigma in pixels; 0 copies. Errors: E_USAGE
// for a sigma that is negative, not finite or above k_max_sigma; E_IMAGE_SHAPE, E_IMAGE_TOO_LARGE.
inline constexpr double k_max_sigma = 4096.0;
void gaussian_blur(const float* src, int64_t width, int64_t height, double sigma, float* dst);

// The blur's weights, for its other faces: [radius + 1], the centre first; the whole kernel sums to 1. One
// weight of 1 where nothing is filtered. Errors: E_USAGE as above.
std::vector<double> gaussian_weights(double sigma);

}  // namespace crane::image
