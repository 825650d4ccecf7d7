// Pictures and masks come out as Pillow 13 makes them (method.md 2).
#include "image/resize.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "image/mask.h"
#include "noise.h"
#include "pillow_cases.h"

namespace crane::image {
namespace {

std::vector<uint8_t> resized(const PictureView& picture, int64_t width, int64_t height, Filter filter) {
  std::vector<uint8_t> rgb(static_cast<size_t>(width * height * 3));
  resize_to_rgb(picture, width, height, filter, rgb.data());
  return rgb;
}

template <typename Call>
std::string code_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error.code();
  }
  return "no error";
}

TEST(Resize, EqualsPillowOnEveryModeAndShape) {
  for (const ResizeCase& c : k_resize_cases) {
    const NoisePicture picture(c.mode, c.src_width, c.src_height, c.seed);
    EXPECT_EQ(fingerprint(resized(picture.view(), c.dst_width, c.dst_height, c.filter)), c.fingerprint)
        << "mode " << static_cast<int>(c.mode) << ", " << c.src_width << " x " << c.src_height << " to "
        << c.dst_width << " x " << c.dst_height;
  }
}

TEST(Resize, EqualsPillowValueByValue) {
  const auto values = [](Mode mode) {
    return resized(NoisePicture(mode, 5, 4, 900).view(), 3, 2, Filter::bicubic);
  };
  using Bytes = std::vector<uint8_t>;
  EXPECT_EQ(values(Mode::l), (Bytes{58, 58, 58, 159, 159, 159, 112, 112, 112,  //
                                    165, 165, 165, 177, 177, 177, 177, 177, 177}));
  EXPECT_EQ(values(Mode::la), (Bytes{108, 108, 108, 104, 104, 104, 163, 163, 163,  //
                                     116, 116, 116, 146, 146, 146, 150, 150, 150}));
  EXPECT_EQ(values(Mode::rgb), (Bytes{100, 121, 159, 67, 160, 135, 110, 167, 177,  //
                                      143, 107, 124, 150, 100, 115, 195, 94, 143}));
  EXPECT_EQ(values(Mode::rgba), (Bytes{108, 74, 131, 143, 102, 143, 136, 149, 132,  //
                                       170, 128, 178, 182, 101, 105, 102, 189, 102}));
  EXPECT_EQ(values(Mode::palette_rgb), (Bytes{151, 205, 211, 10, 148, 18, 126, 132, 197,  //
                                              186, 131, 118, 171, 86, 152, 147, 35, 128}));
  EXPECT_EQ(values(Mode::i16), (Bytes{218, 218, 218, 239, 239, 239, 167, 167, 167,  //
                                      160, 160, 160, 137, 137, 137, 109, 109, 109}));
}

TEST(Resize, ClipsSixteenBitOvershootAsPillowDoes) {
  // Black and white at full range: the cubic leaves it on both sides in the first pass, and the second pass
  // sees that.
  std::vector<uint16_t> grey;
  for (uint64_t i = 0; i < 21 * 18; ++i) grey.push_back(noise_at(6000 + i) >> 63 ? 65535 : 0);
  EXPECT_EQ(fingerprint(resized({grey.data(), 21, 18, Mode::i16}, 50, 41, Filter::bicubic)),
            0x4a82a35f5cfea526ull);
}

TEST(Resize, KeepsTheSamplesWhenTheSizeDoesNotChange) {
  // No round trip through premultiplied colours: a transparent pixel keeps its colour.
  const std::vector<uint8_t> rgba = {200, 100, 50, 0, 10, 20, 30, 1};
  EXPECT_EQ(resized({rgba.data(), 2, 1, Mode::rgba}, 2, 1, Filter::bicubic),
            (std::vector<uint8_t>{200, 100, 50, 10, 20, 30}));
}

TEST(Resize, KeepsAConstantPictureConstant) {
  for (const uint8_t value : {uint8_t{0}, uint8_t{1}, uint8_t{128}, uint8_t{255}}) {
    const std::vector<uint8_t> picture(91 * 77 * 3, value);
    for (const auto& [width, height] :
         {std::pair{33, 35}, std::pair{200, 5}, std::pair{1, 1}, std::pair{91, 300}}) {
      for (const uint8_t out : resized({picture.data(), 91, 77, Mode::rgb}, width, height, Filter::bicubic)) {
        ASSERT_EQ(out, value);
      }
    }
  }
}

TEST(Resize, RegionIsThatPartOfTheWhole) {
  for (const Mode mode : {Mode::l, Mode::la, Mode::rgb, Mode::rgba, Mode::palette_rgb, Mode::i16}) {
    for (const auto& [width, height] :
         {std::pair<int64_t, int64_t>{60, 90}, {25, 170}, {131, 20}, {83, 131}}) {
      const NoisePicture picture(mode, 83, 131, 17);
      const std::vector<uint8_t> whole = resized(picture.view(), width, height, Filter::bicubic);
      const Rect region{width / 3, height / 4, width / 2, height / 2};
      const int64_t stride = region.width * 3 + 5;
      std::vector<uint8_t> part(static_cast<size_t>(stride * region.height), 77);
      resize_region_to_rgb(picture.view(), width, height, region, Filter::bicubic, part.data(), stride);
      for (int64_t y = 0; y < region.height; ++y) {
        for (int64_t i = 0; i < stride; ++i) {
          const int64_t expected =
              i < region.width * 3 ? whole[((region.y + y) * width + region.x) * 3 + i] : 77;
          ASSERT_EQ(part[y * stride + i], expected)
              << "mode " << static_cast<int>(mode) << " row " << y << " byte " << i;
        }
      }
    }
  }
}

TEST(Resize, RefusesSizesThatAreNoneOrTooLarge) {
  const uint8_t pixel[3] = {1, 2, 3};
  uint8_t out[3];
  const auto code = [&](int64_t src_width, int64_t src_height, int64_t width, int64_t height) {
    return code_of([&] {
      resize_to_rgb({pixel, src_width, src_height, Mode::rgb}, width, height, Filter::bicubic, out);
    });
  };
  EXPECT_EQ(code(0, 1, 1, 1), "E_IMAGE_SHAPE");
  EXPECT_EQ(code(1, -1, 1, 1), "E_IMAGE_SHAPE");
  EXPECT_EQ(code(1, 1, 0, 1), "E_IMAGE_SHAPE");
  EXPECT_EQ(code(1 << 16, 1 << 15, 1, 1), "E_IMAGE_TOO_LARGE");
  EXPECT_EQ(code(int64_t{1} << 62, int64_t{1} << 62, 1, 1), "E_IMAGE_TOO_LARGE");
  EXPECT_EQ(code((int64_t{1} << 24) + 1, 1, 1, 1), "E_IMAGE_TOO_LARGE");
  EXPECT_EQ(code(1, 1, int64_t{1} << 40, 1), "E_IMAGE_TOO_LARGE");
  // The sizes are allowed, but one output row would need more than 2 GiB of source rows at once.
  EXPECT_EQ(code(30000, 30000, 29999, 1), "E_IMAGE_TOO_LARGE");
}

TEST(Mask, EqualsPillowOnEveryMode) {
  for (const MaskCase& c : k_mask_cases) {
    NoisePicture picture(c.mode, c.src_width, c.src_height, c.seed);
    picture.make_sparse();
    std::vector<uint8_t> mask(static_cast<size_t>(c.dst_width * c.dst_height));
    resize_mask(picture.view(), c.dst_width, c.dst_height, mask.data());
    EXPECT_EQ(fingerprint(mask), c.fingerprint)
        << "mode " << static_cast<int>(c.mode) << ", " << c.src_width << " x " << c.src_height << " to "
        << c.dst_width << " x " << c.dst_height;
  }
}

TEST(Mask, CountsAColourOnlyWhenItsGreyIsAboveZero) {
  const std::vector<uint8_t> rgb = {0, 0, 3, /*grey 0*/ 0, 1, 0, /*grey 1*/ 0, 0, 5, /*grey 1*/ 1,
                                    0, 0 /*grey 0*/};
  std::vector<uint8_t> mask(4);
  resize_mask({rgb.data(), 4, 1, Mode::rgb}, 4, 1, mask.data());
  EXPECT_EQ(mask, (std::vector<uint8_t>{0, 1, 1, 0}));
}

TEST(Mask, IgnoresAlphaAndTakesAnySixteenBitValueAboveZero) {
  std::vector<uint8_t> mask(2);
  const std::vector<uint8_t> grey_alpha = {0, 255, 9, 0};
  resize_mask({grey_alpha.data(), 2, 1, Mode::la}, 2, 1, mask.data());
  EXPECT_EQ(mask, (std::vector<uint8_t>{0, 1}));
  const std::vector<uint16_t> grey16 = {0, 256};
  resize_mask({grey16.data(), 2, 1, Mode::i16}, 2, 1, mask.data());
  EXPECT_EQ(mask, (std::vector<uint8_t>{0, 1}));
}

}  // namespace
}  // namespace crane::image
