// What Pillow 13.0.0 made of the pictures of noise.h: fingerprints of the RGB bytes, [height, width, 3].
#pragma once

#include <cstdint>

#include "image/picture.h"
#include "image/taps.h"

namespace crane::image {

struct ResizeCase {
  Mode mode;
  Filter filter;
  int64_t src_width, src_height, dst_width, dst_height;
  uint64_t seed;
  uint64_t fingerprint;
};

// Shrinking, growing, tall pictures (shrunk vertically first), sides that do not change, sides of one pixel.
inline constexpr ResizeCase k_resize_cases[] = {
    {Mode::l, Filter::bicubic, 97, 61, 40, 33, 2, 0x7ba96ce853cfc853ull},
    {Mode::l, Filter::bicubic, 40, 33, 97, 61, 3, 0x49cc52d0c038fa88ull},
    {Mode::l, Filter::bilinear, 31, 200, 29, 50, 4, 0x6dff28eaf0a96bf0ull},
    {Mode::l, Filter::bicubic, 200, 31, 50, 29, 5, 0xd889222bcad03440ull},
    {Mode::l, Filter::bicubic, 53, 47, 53, 20, 6, 0x050fda6f7dd360d3ull},
    {Mode::l, Filter::bilinear, 53, 47, 20, 47, 7, 0x55cd5e9750818251ull},
    {Mode::l, Filter::bicubic, 64, 48, 64, 48, 8, 0x4753d9690094dea6ull},
    {Mode::l, Filter::bicubic, 1, 9, 7, 3, 9, 0xc808810bfc53fd36ull},
    {Mode::l, Filter::bilinear, 9, 1, 3, 7, 10, 0x1994cfdb30aa67dcull},
    {Mode::l, Filter::bicubic, 1, 1, 5, 4, 11, 0xb41a1600952dd029ull},
    {Mode::l, Filter::bicubic, 300, 2, 3, 5, 12, 0x1aea42ba1a1c5147ull},
    {Mode::l, Filter::bilinear, 33, 130, 64, 17, 13, 0x4e63a39cfddf99b9ull},
    {Mode::la, Filter::bicubic, 97, 61, 40, 33, 14, 0x40944377eb681ae9ull},
    {Mode::la, Filter::bicubic, 40, 33, 97, 61, 15, 0xacf1aaa158f74f1bull},
    {Mode::la, Filter::bilinear, 31, 200, 29, 50, 16, 0xd323364ee9f31785ull},
    {Mode::la, Filter::bicubic, 200, 31, 50, 29, 17, 0x86206ff9a9e2b635ull},
    {Mode::la, Filter::bicubic, 53, 47, 53, 20, 18, 0x9b60a7d6c1589c91ull},
    {Mode::la, Filter::bilinear, 53, 47, 20, 47, 19, 0x649ec06f3d7c2bf9ull},
    {Mode::la, Filter::bicubic, 64, 48, 64, 48, 20, 0xb38e665be4a32601ull},
    {Mode::la, Filter::bicubic, 1, 9, 7, 3, 21, 0x361d14009fc5636dull},
    {Mode::la, Filter::bilinear, 9, 1, 3, 7, 22, 0xeeb5b1a67eb4f8e9ull},
    {Mode::la, Filter::bicubic, 1, 1, 5, 4, 23, 0xe84542a519765e65ull},
    {Mode::la, Filter::bicubic, 300, 2, 3, 5, 24, 0x6ef3d5627f8766f8ull},
    {Mode::la, Filter::bilinear, 33, 130, 64, 17, 25, 0xabfd277da843e68bull},
    {Mode::rgb, Filter::bicubic, 97, 61, 40, 33, 26, 0xf00bbf57e1811e51ull},
    {Mode::rgb, Filter::bicubic, 40, 33, 97, 61, 27, 0x2457ce7dbffdd6bcull},
    {Mode::rgb, Filter::bilinear, 31, 200, 29, 50, 28, 0x827875c90d0e4fc3ull},
    {Mode::rgb, Filter::bicubic, 200, 31, 50, 29, 29, 0x9651cec7933be24aull},
    {Mode::rgb, Filter::bicubic, 53, 47, 53, 20, 30, 0x4828699327f4cfe1ull},
    {Mode::rgb, Filter::bilinear, 53, 47, 20, 47, 31, 0xd458cd76f327a7c1ull},
    {Mode::rgb, Filter::bicubic, 64, 48, 64, 48, 32, 0x823d5bb5179835e6ull},
    {Mode::rgb, Filter::bicubic, 1, 9, 7, 3, 33, 0x536775e049a73128ull},
    {Mode::rgb, Filter::bilinear, 9, 1, 3, 7, 34, 0x570a81275f24caa8ull},
    {Mode::rgb, Filter::bicubic, 1, 1, 5, 4, 35, 0x26b66a38ee0570adull},
    {Mode::rgb, Filter::bicubic, 300, 2, 3, 5, 36, 0xc7248e8ee85ac202ull},
    {Mode::rgb, Filter::bilinear, 33, 130, 64, 17, 37, 0x00240a87676e70a7ull},
    {Mode::rgba, Filter::bicubic, 97, 61, 40, 33, 38, 0xb118a3d3039b2d8aull},
    {Mode::rgba, Filter::bicubic, 40, 33, 97, 61, 39, 0x659d69ba89bc80e9ull},
    {Mode::rgba, Filter::bilinear, 31, 200, 29, 50, 40, 0x5ee461be56c7e4ffull},
    {Mode::rgba, Filter::bicubic, 200, 31, 50, 29, 41, 0xf8a9815b1bb2236bull},
    {Mode::rgba, Filter::bicubic, 53, 47, 53, 20, 42, 0x0ba838c2d2400ed7ull},
    {Mode::rgba, Filter::bilinear, 53, 47, 20, 47, 43, 0xa61cd3eb8521016cull},
    {Mode::rgba, Filter::bicubic, 64, 48, 64, 48, 44, 0xa20bb4aa18c141f9ull},
    {Mode::rgba, Filter::bicubic, 1, 9, 7, 3, 45, 0x28000d47aeba596cull},
    {Mode::rgba, Filter::bilinear, 9, 1, 3, 7, 46, 0xb3af3bc692c39378ull},
    {Mode::rgba, Filter::bicubic, 1, 1, 5, 4, 47, 0xfea25beff654e3e1ull},
    {Mode::rgba, Filter::bicubic, 300, 2, 3, 5, 48, 0x68ece671db65ffc5ull},
    {Mode::rgba, Filter::bilinear, 33, 130, 64, 17, 49, 0xab289c6989495154ull},
    {Mode::palette_rgb, Filter::bicubic, 97, 61, 40, 33, 50, 0xaa780f918c5bcb4full},
    {Mode::palette_rgb, Filter::bicubic, 40, 33, 97, 61, 51, 0xe5b1d898927bdc4bull},
    {Mode::palette_rgb, Filter::bilinear, 31, 200, 29, 50, 52, 0x74f37451882fdf85ull},
    {Mode::palette_rgb, Filter::bicubic, 200, 31, 50, 29, 53, 0x5e3a995d1b5e4936ull},
    {Mode::palette_rgb, Filter::bicubic, 53, 47, 53, 20, 54, 0x71a4f40a6f139276ull},
    {Mode::palette_rgb, Filter::bilinear, 53, 47, 20, 47, 55, 0x7ef97e522bd76be3ull},
    {Mode::palette_rgb, Filter::bicubic, 64, 48, 64, 48, 56, 0x8f1bff7362090770ull},
    {Mode::palette_rgb, Filter::bicubic, 1, 9, 7, 3, 57, 0xb9a10d52a93fc0daull},
    {Mode::palette_rgb, Filter::bilinear, 9, 1, 3, 7, 58, 0xb1dbd63ad1769846ull},
    {Mode::palette_rgb, Filter::bicubic, 1, 1, 5, 4, 59, 0xa2a371afeef673cdull},
    {Mode::palette_rgb, Filter::bicubic, 300, 2, 3, 5, 60, 0xfe34b0bf750ac2c9ull},
    {Mode::palette_rgb, Filter::bilinear, 33, 130, 64, 17, 61, 0x548c67013a840aafull},
    {Mode::i16, Filter::bicubic, 97, 61, 40, 33, 62, 0x9fc3d00238a65211ull},
    {Mode::i16, Filter::bicubic, 40, 33, 97, 61, 63, 0x38c5d544945d523full},
    {Mode::i16, Filter::bilinear, 31, 200, 29, 50, 64, 0xd984d53f084dd31cull},
    {Mode::i16, Filter::bicubic, 200, 31, 50, 29, 65, 0x0d957422d9b9b04dull},
    {Mode::i16, Filter::bicubic, 53, 47, 53, 20, 66, 0x7f3ceb6c7011b123ull},
    {Mode::i16, Filter::bilinear, 53, 47, 20, 47, 67, 0x6c79b8da9b602980ull},
    {Mode::i16, Filter::bicubic, 64, 48, 64, 48, 68, 0x5ff39cdde9271eeeull},
    {Mode::i16, Filter::bicubic, 1, 9, 7, 3, 69, 0x6f3979eff76376b3ull},
    {Mode::i16, Filter::bilinear, 9, 1, 3, 7, 70, 0xc3df3a3900bf07f9ull},
    {Mode::i16, Filter::bicubic, 1, 1, 5, 4, 71, 0x07c1a399c6872695ull},
    {Mode::i16, Filter::bicubic, 300, 2, 3, 5, 72, 0xa584b65d30ab022aull},
    {Mode::i16, Filter::bilinear, 33, 130, 64, 17, 73, 0x4037c5d4f8cecfd0ull},
    // On both sides of the rule that decides which pass comes first.
    {Mode::l, Filter::bicubic, 100, 120, 80, 80, 5000, 0xa485c52211083e93ull},
    {Mode::i16, Filter::bicubic, 100, 120, 80, 80, 5000, 0x2ce384326850c13full},
    {Mode::l, Filter::bicubic, 100, 120, 80, 79, 5001, 0x4194e8257589bff4ull},
    {Mode::i16, Filter::bicubic, 100, 120, 80, 79, 5001, 0x8a64c11a7bf1f99bull},
    {Mode::l, Filter::bicubic, 100, 120, 80, 78, 5002, 0xcdb1988b1f0565c5ull},
    {Mode::i16, Filter::bicubic, 100, 120, 80, 78, 5002, 0x108e9517346d83bdull},
    {Mode::l, Filter::bicubic, 70, 90, 100, 89, 5003, 0xe8cbed30690811f8ull},
    {Mode::i16, Filter::bicubic, 70, 90, 100, 89, 5003, 0x52980b037a0c8a05ull},
    {Mode::l, Filter::bicubic, 70, 90, 100, 90, 5004, 0xea7a9bad7fbdd5bfull},
    {Mode::i16, Filter::bicubic, 70, 90, 100, 90, 5004, 0xa8be9366096de783ull},
    {Mode::l, Filter::bicubic, 70, 90, 100, 91, 5005, 0x7fc759b0f103553eull},
    {Mode::i16, Filter::bicubic, 70, 90, 100, 91, 5005, 0x89bf9dcc1b5cf96aull},
};

struct MaskCase {
  Mode mode;
  int64_t src_width, src_height, dst_width, dst_height;
  uint64_t seed;
  uint64_t fingerprint;
};

// Sparse pictures (NoisePicture::make_sparse) as masks: fingerprints of [height, width] zeros and ones.
inline constexpr MaskCase k_mask_cases[] = {
    {Mode::l, 97, 61, 40, 33, 74, 0x151c0bf0f868532cull},
    {Mode::l, 31, 200, 29, 50, 75, 0xa3b7e310f919f6f9ull},
    {Mode::l, 40, 33, 97, 61, 76, 0x5a7aa35aac7c324full},
    {Mode::l, 64, 48, 64, 48, 77, 0x9b15750b8d1ae2bdull},
    {Mode::la, 97, 61, 40, 33, 78, 0xf3c88aa9341cb8d7ull},
    {Mode::la, 31, 200, 29, 50, 79, 0x07b5d818d87d5d5full},
    {Mode::la, 40, 33, 97, 61, 80, 0xe34903e2e2c94b18ull},
    {Mode::la, 64, 48, 64, 48, 81, 0xef8267e1e3a1cac1ull},
    {Mode::rgb, 97, 61, 40, 33, 82, 0x0fefbcc17399faceull},
    {Mode::rgb, 31, 200, 29, 50, 83, 0x2707740080eae64full},
    {Mode::rgb, 40, 33, 97, 61, 84, 0x3ec346e2e56b3adbull},
    {Mode::rgb, 64, 48, 64, 48, 85, 0x6808fc9e3703c43cull},
    {Mode::rgba, 97, 61, 40, 33, 86, 0x9ba82b8294b38898ull},
    {Mode::rgba, 31, 200, 29, 50, 87, 0x3eafc0f6e2a8fd10ull},
    {Mode::rgba, 40, 33, 97, 61, 88, 0xa78c003d351dbc1bull},
    {Mode::rgba, 64, 48, 64, 48, 89, 0x0efe4bac1e235b98ull},
    {Mode::palette_rgb, 97, 61, 40, 33, 90, 0xbf50295ff0071644ull},
    {Mode::palette_rgb, 31, 200, 29, 50, 91, 0x1f0e5f34981841a7ull},
    {Mode::palette_rgb, 40, 33, 97, 61, 92, 0x726479b73c8c310eull},
    {Mode::palette_rgb, 64, 48, 64, 48, 93, 0xf7f4c66f89b16716ull},
    {Mode::i16, 97, 61, 40, 33, 94, 0xc2f986016bc09326ull},
    {Mode::i16, 31, 200, 29, 50, 95, 0x91b9c50aebf39f36ull},
    {Mode::i16, 40, 33, 97, 61, 96, 0xfee01f9762556182ull},
    {Mode::i16, 64, 48, 64, 48, 97, 0xe4139476c76e5e6eull},
};

}  // namespace crane::image
