#include "image/demosaic.h"

#include "core/error.h"

namespace crane::image {
namespace {

constexpr int k_green = 1;

// The neighbours of a cell in a row.
struct Columns {
  int64_t left;
  int64_t here;
  int64_t right;
};

struct Rows {
  const uint8_t* up;
  const uint8_t* here;
  const uint8_t* down;
};

uint8_t mean2(int a, int b) { return static_cast<uint8_t>((a + b + 1) >> 1); }
uint8_t mean4(int a, int b, int c, int d) { return static_cast<uint8_t>((a + b + c + d + 2) >> 2); }

// `beside`: the colour of the cells to the left and right; red and blue add up to 2.
void green_cell(const Rows& rows, const Columns& x, int beside, uint8_t* rgb) {
  rgb[k_green] = rows.here[x.here];
  rgb[beside] = mean2(rows.here[x.left], rows.here[x.right]);
  rgb[2 - beside] = mean2(rows.up[x.here], rows.down[x.here]);
}

void red_or_blue_cell(const Rows& rows, const Columns& x, int colour, uint8_t* rgb) {
  rgb[colour] = rows.here[x.here];
  rgb[k_green] = mean4(rows.here[x.left], rows.here[x.right], rows.up[x.here], rows.down[x.here]);
  rgb[2 - colour] = mean4(rows.up[x.left], rows.up[x.right], rows.down[x.left], rows.down[x.right]);
}

}  // namespace

bool is_bayer(const BayerPattern& pattern) {
  const auto [a, b, c, d] = pattern;
  const auto are_ends = [](int first, int second) {
    return (first == 0 && second == 2) || (first == 2 && second == 0);
  };
  return (a == k_green && d == k_green && are_ends(b, c)) || (b == k_green && c == k_green && are_ends(a, d));
}

void demosaic(const uint8_t* src, int64_t width, int64_t height, const BayerPattern& pattern, uint8_t* dst) {
  CRANE_CHECK_INVARIANT(width >= 2 && height >= 2 && is_bayer(pattern), "not a mosaic of Bayer's form");
  for (int64_t y = 0; y < height; ++y) {
    const int64_t above = y == 0 ? 1 : y - 1;
    const int64_t below = y == height - 1 ? height - 2 : y + 1;
    const Rows rows{src + above * width, src + y * width, src + below * width};
    const int colours[] = {pattern[static_cast<size_t>((y & 1) * 2)],
                           pattern[static_cast<size_t>((y & 1) * 2 + 1)]};
    for (int64_t x = 0; x < width; ++x) {
      const Columns columns{x == 0 ? 1 : x - 1, x, x == width - 1 ? width - 2 : x + 1};
      const int colour = colours[x & 1];
      uint8_t* rgb = dst + (y * width + x) * 3;
      if (colour == k_green)
        green_cell(rows, columns, colours[(x & 1) ^ 1], rgb);
      else
        red_or_blue_cell(rows, columns, colour, rgb);
    }
  }
}

}  // namespace crane::image
