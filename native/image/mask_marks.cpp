#include "image/mask_marks.h"

#include <algorithm>
#include <cstring>

#include "image/colour.h"

namespace crane::image {
namespace {

const uint8_t* bytes_of(const PictureView& mask) {
  check_picture(mask);
  check_input(sample_bytes(mask.mode) == 1, "E_IMAGE_SHAPE", "a mask of 8 bits is needed here");
  return static_cast<const uint8_t*>(mask.data);
}

// One colour everywhere, and something transparent: src [pixels, channels], alpha last.
bool is_cut_out(const uint8_t* src, int64_t pixels, int channels) {
  bool is_transparent = false;
  for (int64_t pixel = 0; pixel < pixels; ++pixel) {
    const uint8_t* p = src + pixel * channels;
    for (int colour = 0; colour < channels - 1; ++colour) {
      if (p[colour] != src[colour]) return false;
    }
    if (p[channels - 1] < 255) is_transparent = true;
  }
  return is_transparent;
}

void highest_colours(const uint8_t* src, int64_t pixels, int channels, int colours, uint8_t* dst) {
  for (int64_t pixel = 0; pixel < pixels; ++pixel, src += channels) {
    uint8_t highest = src[0];
    for (int colour = 1; colour < colours; ++colour) highest = std::max(highest, src[colour]);
    dst[pixel] = highest;
  }
}

}  // namespace

void mark_mask(const PictureView& mask, bool is_lossy, uint8_t* dst) {
  const uint8_t* src = bytes_of(mask);
  const int64_t pixels = mask.width * mask.height;
  const int channels = channel_count(mask.mode);
  const bool has_alpha = mask.mode == Mode::la || mask.mode == Mode::rgba;
  if (has_alpha && is_cut_out(src, pixels, channels)) {
    for (int64_t pixel = 0; pixel < pixels; ++pixel) dst[pixel] = src[(pixel + 1) * channels - 1];
  } else {
    highest_colours(src, pixels, channels, has_alpha ? channels - 1 : channels, dst);
  }
  if (!is_lossy) return;
  const int most = *std::max_element(dst, dst + pixels);
  for (int64_t pixel = 0; pixel < pixels; ++pixel) {
    if (2 * dst[pixel] < most) dst[pixel] = 0;
  }
}

void grey_mask(const PictureView& mask, uint8_t* dst) {
  const uint8_t* src = bytes_of(mask);
  const int64_t pixels = mask.width * mask.height;
  const int channels = channel_count(mask.mode);
  if (channels == 1) {
    std::memcpy(dst, src, static_cast<size_t>(pixels));
    return;
  }
  for (int64_t pixel = 0; pixel < pixels; ++pixel, src += channels) {
    dst[pixel] = channels < 3 ? src[0] : luma(src[0], src[1], src[2]);
  }
}

void unite_mask(const uint8_t* other, int64_t count, uint8_t* dst) {
  for (int64_t i = 0; i < count; ++i) dst[i] = std::max(dst[i], other[i]);
}

void turn_mask(const uint8_t* mask, int64_t width, int64_t height, int orientation, uint8_t* dst) {
  check_size("mask", width, height);
  check_input(orientation >= 5 && orientation <= 8, "E_IMAGE_SHAPE", "orientation ", orientation,
              " does not exchange the sides of a mask");
  const bool from_right = orientation == 7 || orientation == 8;
  const bool from_below = orientation == 6 || orientation == 7;
  // Row y of the result is a column of the source; 5 is the plain transposition.
  for (int64_t y = 0; y < width; ++y) {
    const uint8_t* column = mask + (from_right ? width - 1 - y : y);
    for (int64_t x = 0; x < height; ++x) {
      *dst++ = column[(from_below ? height - 1 - x : x) * width];
    }
  }
}

}  // namespace crane::image
