#include <algorithm>
#include <cmath>
#include <cstring>

#include "image/map.h"
#include "image/picture.h"
#include "kernels/choice.h"

#if defined(__x86_64__)
#define CRANE_FMA __attribute__((target("avx2,fma")))
#else
#define CRANE_FMA
#endif

namespace crane::image {
namespace {

struct Neighbours {
  int64_t first;
  int64_t second;
  float first_weight;
  float second_weight;
};

// Where output sample `index` lies between source samples: pixel centres correspond, positions before the
// first centre count as the first.
Neighbours neighbours(int64_t index, int64_t src_size, int64_t dst_size) {
  if (src_size == dst_size) return {index, index, 1.0f, 0.0f};
  const float scale = static_cast<float>(src_size) / static_cast<float>(dst_size);
  const float position = std::max(std::fma(scale, static_cast<float>(index) + 0.5f, -0.5f), 0.0f);
  const int64_t first = std::min(static_cast<int64_t>(position), src_size - 1);
  const float second_weight = std::clamp(position - static_cast<float>(first), 0.0f, 1.0f);
  return {first, std::min(first + 1, src_size - 1), 1.0f - second_weight, second_weight};
}

__attribute__((always_inline)) inline void blend_body(const float* a, const float* b, float a_weight,
                                                      float b_weight, int64_t width, float* dst) {
  for (int64_t x = 0; x < width; ++x) {
    const float rest = b[x] * b_weight;
    dst[x] = __builtin_fmaf(a[x], a_weight, rest);
  }
}

CRANE_FMA void blend_fma(const float* a, const float* b, float a_weight, float b_weight, int64_t width,
                         float* dst) {
  blend_body(a, b, a_weight, b_weight, width, dst);
}

}  // namespace

MapRows::MapRows(const float* map, int64_t map_width, int64_t map_height, int64_t width, int64_t height)
    : map_(map), map_width_(map_width), map_height_(map_height), height_(height) {
  check_size("map", map_width, map_height);
  check_size("target of a map", width, height);
  columns_.reserve(static_cast<size_t>(width));
  for (int64_t x = 0; x < width; ++x) {
    const Neighbours at = neighbours(x, map_width, width);
    columns_.push_back(
        {static_cast<int32_t>(at.first), static_cast<int32_t>(at.second), at.first_weight, at.second_weight});
  }
  for (std::vector<float>& row : stretched_) row.resize(static_cast<size_t>(width));
}

const float* MapRows::stretched(int64_t src_y) {
  const int slot = static_cast<int>(src_y % 2);  // neighbouring rows never share a slot
  float* dst = stretched_[slot].data();
  if (stretched_y_[slot] == src_y) return dst;
  const float* src = map_ + src_y * map_width_;
  for (size_t x = 0; x < columns_.size(); ++x) {
    const Column& at = columns_[x];
    const float rest = src[at.right] * at.right_weight;
    dst[x] = std::fma(src[at.left], at.left_weight, rest);
  }
  stretched_y_[slot] = src_y;
  return dst;
}

void MapRows::row(int64_t y, float* dst) {
  const Neighbours at = neighbours(y, map_height_, height_);
  const float* top = stretched(at.first);
  const float* bottom = stretched(at.second);
  const int64_t width = static_cast<int64_t>(columns_.size());
  if (kernels::may_use(Isa::avx2)) {
    blend_fma(top, bottom, at.first_weight, at.second_weight, width, dst);
  } else {
    blend_body(top, bottom, at.first_weight, at.second_weight, width, dst);
  }
}

void resize_map(const float* map, int64_t map_width, int64_t map_height, int64_t width, int64_t height,
                float* dst) {
  MapRows rows(map, map_width, map_height, width, height);
  for (int64_t y = 0; y < height; ++y) rows.row(y, dst + y * width);
}

}  // namespace crane::image
