// Conversions of one row between Pillow's modes, with Pillow's rounding (method.md 2). The caller owns the
// rows.
#pragma once

#include <cstdint>

namespace crane::image {

// round(a * b / 255), as Pillow rounds it.
inline uint8_t multiply_255(uint32_t a, uint32_t b) {
  const uint32_t product = a * b + 128;
  return static_cast<uint8_t>(((product >> 8) + product) >> 8);
}

// floor(colour * 255 / alpha), at most 255; a fully opaque or fully transparent pixel keeps its colour.
inline uint8_t divide_by_alpha(uint32_t colour, uint32_t alpha) {
  if (alpha == 255 || alpha == 0) return static_cast<uint8_t>(colour);
  const uint32_t quotient = 255 * colour / alpha;
  return static_cast<uint8_t>(quotient < 255 ? quotient : 255);
}

inline uint8_t clip_to_u8(uint16_t value) { return static_cast<uint8_t>(value < 255 ? value : 255); }

// ITU-R 601 luma in 16-bit fixed point.
inline uint8_t luma(uint32_t red, uint32_t green, uint32_t blue) {
  return static_cast<uint8_t>((19595 * red + 38470 * green + 7471 * blue + 32768) >> 16);
}

// src, dst: [pixels, channels] u8, alpha last; channels 2 or 4. LA -> La, RGBA -> RGBa.
void premultiply_row(const uint8_t* src, int64_t pixels, int channels, uint8_t* dst);

// Each dst: [pixels, 3] u8. Alpha is dropped; 16-bit grey is clipped at 255, not scaled.
void grey_to_rgb_row(const uint8_t* src, int64_t pixels, uint8_t* dst);
void grey16_to_rgb_row(const uint16_t* src, int64_t pixels, uint8_t* dst);
void straight_alpha_to_rgb_row(const uint8_t* src, int64_t pixels, int channels, uint8_t* dst);
void premultiplied_to_rgb_row(const uint8_t* src, int64_t pixels, int channels, uint8_t* dst);

}  // namespace crane::image
