// A decoded picture as Pillow would have opened it, seen without owning it (method.md 2, step 1).
#pragma once

#include <cstdint>

#include "core/error.h"

namespace crane::image {

// Decides how the picture is resized and how it becomes RGB; the names are Pillow's modes.
enum class Mode {
  l,            // 8-bit grey
  la,           // grey with alpha: resized premultiplied, alpha dropped afterwards
  rgb,          //
  rgba,         // resized premultiplied, alpha dropped afterwards
  palette_rgb,  // mode P, already expanded to RGB: resized by nearest neighbour
  i16,          // 16-bit grey in the machine's byte order: resized in double, clipped at 255
};

// Samples of one pixel.
constexpr int channel_count(Mode mode) {
  switch (mode) {
    case Mode::l:
    case Mode::i16:
      return 1;
    case Mode::la:
      return 2;
    case Mode::rgba:
      return 4;
    case Mode::rgb:
    case Mode::palette_rgb:
      return 3;
  }
  return 0;
}

constexpr int sample_bytes(Mode mode) { return mode == Mode::i16 ? 2 : 1; }

// [height, width, channel_count(mode)], interleaved, rows without padding; u8, or u16 for i16.
struct PictureView {
  const void* data;
  int64_t width;
  int64_t height;
  Mode mode;
};

// A rectangle of whole pixels.
struct Rect {
  int64_t x;
  int64_t y;
  int64_t width;
  int64_t height;

  bool operator==(const Rect&) const = default;
};

// Pillow keeps the box of a resize in float32, which counts single pixels up to here.
inline constexpr int64_t k_max_side = int64_t{1} << 24;
inline constexpr int64_t k_max_pixels = (int64_t{1} << 31) - 1;

// Errors: E_IMAGE_SHAPE for sides below 1, E_IMAGE_TOO_LARGE beyond the limits above.
inline void check_size(const char* what, int64_t width, int64_t height) {
  check_input(width >= 1 && height >= 1, "E_IMAGE_SHAPE", what, ": got ", width, " x ", height,
              " pixels, both sides must be at least 1");
  check_input(width <= k_max_side && height <= k_max_side && width <= k_max_pixels / height,
              "E_IMAGE_TOO_LARGE", what, ": got ", width, " x ", height, " pixels, at most ", k_max_pixels,
              " in all and ", k_max_side, " a side");
}

inline void check_picture(const PictureView& picture) {
  check_size("picture", picture.width, picture.height);
  CRANE_CHECK_INVARIANT(picture.data != nullptr, "a picture without data");
}

}  // namespace crane::image
