// Pillow's two-pass resampling as a stream of rows, rounded to the sample type between the passes (method.md
// 2): the horizontal pass first, except where Pillow 13 shrinks a tall picture vertically first. Only the
// source rows a few output rows need are held, whatever the size of the picture.
#pragma once

#include <cstdint>
#include <functional>

#include "image/picture.h"
#include "image/taps.h"

namespace crane::image {

// What is resized to what. Only `region` of the destination is made, with exactly the samples that resizing
// the whole source would give there. A pass is left out when its size does not change.
struct Resampling {
  int64_t src_width;
  int64_t src_height;
  int64_t dst_width;
  int64_t dst_height;
  Rect region;   // within [dst_height, dst_width]
  int channels;  // 1 to 4 interleaved
  Filter filter;
};

// Pillow 13 shrinks the height first when it loses more than twice as many rows as columns; otherwise the
// width is changed first. The order shows in the rounding between the passes.
bool is_vertical_first(const Resampling& job);

// Writes source pixels [x, x + pixels) of row y to dst.
template <typename Sample>
using LoadRow = std::function<void(int64_t y, int64_t x, int64_t pixels, Sample* dst)>;
// Takes row y of the region, counted from its top; [region.width, channels], valid during the call.
template <typename Sample>
using TakeRow = std::function<void(int64_t y, const Sample* row)>;

// Rows are loaded and taken in increasing order, each once. Not for concurrent use of one pair of callbacks.
// Errors: E_IMAGE_TOO_LARGE when the rows held would pass 2 GiB.
void resample(const Resampling& job, const LoadRow<uint8_t>& load, const TakeRow<uint8_t>& take);
// 16-bit grey: sums in double, channels must be 1.
void resample(const Resampling& job, const LoadRow<uint16_t>& load, const TakeRow<uint16_t>& take);

}  // namespace crane::image
