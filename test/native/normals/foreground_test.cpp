// Which patches are background, on rows whose answer is known.
#include "normals/foreground.h"

#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <string>
#include <vector>

namespace crane::normals {
namespace {

constexpr vision::Grid k_grid{10, 12};

// Rows about one of two middles, by the letter of their cell: '.' the one, 'x' the other, '~' between both.
at::Tensor rows_of(const std::vector<std::string>& picture, double noise = 0.05, uint32_t seed = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  const int64_t depth = 16;
  at::Tensor rows = at::zeros({k_grid.count(), depth}, at::kFloat);
  auto* out = rows.mutable_data_ptr<float>();
  for (const std::string& line : picture) {
    for (const char cell : line) {
      out[cell == 'x' ? 3 : 7] = 1;
      if (cell == '~') out[3] = 1;
      for (int64_t k = 0; k < depth; ++k) *out++ += static_cast<float>(noise) * normal(random);
    }
  }
  return rows / rows.norm(2, 1, true);
}

std::vector<std::string> kept_in(const at::Tensor& rows) {
  const Foreground found = foreground_of(rows, k_grid);
  std::vector<std::string> lines;
  int64_t left_out = 0;
  for (int64_t y = 0; y < k_grid.height; ++y) {
    std::string line;
    for (int64_t x = 0; x < k_grid.width; ++x) {
      const bool is_kept = found.kept[y * k_grid.width + x].item<bool>();
      left_out += is_kept ? 0 : 1;
      line += is_kept ? 'x' : '.';
    }
    lines.push_back(line);
  }
  EXPECT_EQ(found.left_out, left_out);
  return lines;
}

const std::vector<std::string> k_ring = {
    "............", "..xxxxxxxx..", "..x......x..", "..x......x..", "..x......x..",
    "..x......x..", "..x......x..", "..xxxxxxxx..", "............", "............",
};
// A cell around the thing, and what lies inside it.
const std::vector<std::string> k_kept = {
    ".xxxxxxxxxx.", ".xxxxxxxxxx.", ".xxxxxxxxxx.", ".xxxxxxxxxx.", ".xxxxxxxxxx.",
    ".xxxxxxxxxx.", ".xxxxxxxxxx.", ".xxxxxxxxxx.", ".xxxxxxxxxx.", "............",
};

TEST(Foreground, IsTheThingWithWhatLiesInItAndACellAround) {
  EXPECT_EQ(kept_in(rows_of(k_ring)), k_kept) << "a hole in a thing may be a flaw, and stays";
}

TEST(Foreground, IsTheSameWhicheverPartIsWhich) {
  std::vector<std::string> other = k_ring;
  for (auto& line : other)
    for (char& cell : line) cell = cell == 'x' ? '.' : 'x';
  EXPECT_EQ(kept_in(rows_of(other)), k_kept);
}

TEST(Foreground, MayTouchTheBorder) {
  std::vector<std::string> leaf = k_ring;
  leaf[4] = "xxx......x..";
  std::vector<std::string> kept = k_kept;
  kept[3] = kept[4] = kept[5] = "xxxxxxxxxxx.";
  EXPECT_EQ(kept_in(rows_of(leaf)), kept);
}

const std::vector<std::string> k_whole(10, std::string(12, 'x'));

TEST(Foreground, IsThePictureWhereNoBackgroundIsTold) {
  const auto filled = [](const std::function<char(size_t, size_t)>& cell) {
    std::vector<std::string> picture(10, std::string(12, '.'));
    for (size_t y = 0; y < 10; ++y)
      for (size_t x = 0; x < 12; ++x) picture[y][x] = cell(y, x);
    return picture;
  };
  EXPECT_EQ(kept_in(rows_of(filled([](auto, auto) { return '.'; }))), k_whole) << "nothing is there";
  EXPECT_EQ(kept_in(rows_of(filled([](auto y, auto) { return y < 5 ? 'x' : '.'; }))), k_whole)
      << "a border of both";
  EXPECT_EQ(kept_in(rows_of(filled([](auto y, auto x) { return "x.~"[(y * 5 + x * 7) % 3]; }), 0.4)), k_whole)
      << "a texture";
  EXPECT_EQ(
      kept_in(rows_of(filled([](auto y, auto x) { return y > 0 && y < 9 && x > 0 && x < 11 ? 'x' : '.'; }))),
      k_whole)
      << "a thing that fills the picture, with the cell around it";
  EXPECT_EQ(kept_in(rows_of(filled([](auto y, auto x) { return y == 0 && x == 0 ? 'x' : '.'; }))), k_whole)
      << "hardly anything would stay";
  EXPECT_EQ(kept_in(rows_of(k_ring, /*noise=*/0.6)), k_whole) << "parts that are not apart";
}

TEST(Foreground, OfEqualRowsIsThePicture) {
  const at::Tensor rows = at::ones({k_grid.count(), 4}) / 2;
  EXPECT_EQ(foreground_of(rows, k_grid).left_out, 0);
}

}  // namespace
}  // namespace crane::normals
