#include "image/mosaic.h"

#include <algorithm>
#include <vector>

#include "image/resize.h"

namespace crane::image {
namespace {

// floor((at + 1/2) * from / to) in whole numbers.
int64_t under(int64_t at, int64_t to, int64_t from) { return (2 * at + 1) * from / (2 * to); }

}  // namespace

std::array<Rect, k_mosaic_tiles> mosaic_tiles(int64_t width, int64_t height) {
  const int64_t left = width / 2;
  const int64_t top = height / 2;
  return {{{0, 0, left, top},
           {left, 0, width - left, top},
           {0, top, left, height - top},
           {left, top, width - left, height - top}}};
}

void mosaic_of_pictures(const std::array<PictureView, k_mosaic_tiles>& pictures, int64_t width,
                        int64_t height, uint8_t* dst) {
  check_size("mosaic", width, height);
  const auto tiles = mosaic_tiles(width, height);
  std::vector<uint8_t> resized;
  for (size_t i = 0; i < tiles.size(); ++i) {
    const Rect& tile = tiles[i];
    check_size("tile", tile.width, tile.height);
    const int64_t row = tile.width * 3;
    resized.resize(static_cast<size_t>(row * tile.height));
    resize_to_rgb(pictures[i], tile.width, tile.height, Filter::bicubic, resized.data());
    for (int64_t y = 0; y < tile.height; ++y) {
      std::copy_n(resized.data() + y * row, row, dst + ((tile.y + y) * width + tile.x) * 3);
    }
  }
}

void mosaic_of_masks(const std::array<PictureView, k_mosaic_tiles>& masks, int64_t width, int64_t height,
                     uint8_t* dst) {
  check_size("mosaic", width, height);
  const auto tiles = mosaic_tiles(width, height);
  for (size_t i = 0; i < tiles.size(); ++i) {
    const PictureView& mask = masks[i];
    check_picture(mask);
    check_input(mask.mode == Mode::l, "E_IMAGE_SHAPE", "a mask of 8-bit grey is needed in a mosaic");
    const Rect& tile = tiles[i];
    const auto* src = static_cast<const uint8_t*>(mask.data);
    for (int64_t y = 0; y < tile.height; ++y) {
      const uint8_t* from = src + under(y, tile.height, mask.height) * mask.width;
      uint8_t* row = dst + (tile.y + y) * width + tile.x;
      for (int64_t x = 0; x < tile.width; ++x) row[x] = from[under(x, tile.width, mask.width)];
    }
  }
}

}  // namespace crane::image
