// Every face of the resampling passes gives the bits of "ref".
#include "image/resample_faces.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "image/colour.h"
#include "kernels/choice.h"
#include "noise.h"

namespace crane::image {
namespace {

// Rows with the slack the faces may read and write.
struct Rows {
  Rows(int64_t count, int64_t samples, uint64_t seed) {
    for (int64_t i = 0; i < count; ++i) {
      rows.push_back(noise_samples<uint8_t>(samples + k_row_slack, seed + static_cast<uint64_t>(i * 100000)));
      // Half of the rows hold extremes, where the cubic's negative lobes overshoot both ends.
      if (i % 2 == 1) {
        for (uint8_t& value : rows.back()) value = value < 128 ? 0 : 255;
      }
      pointers.push_back(rows.back().data());
    }
  }

  std::vector<std::vector<uint8_t>> rows;
  std::vector<uint8_t*> pointers;
};

class ResampleFaces : public testing::TestWithParam<ResampleFace> {};

TEST_P(ResampleFaces, HorizontalPassEqualsRef) {
  int64_t compared = 0;
  for (const auto& [src_width, dst_width] : {std::pair<int64_t, int64_t>{1, 1},
                                             {1, 40},
                                             {2, 3},
                                             {37, 11},
                                             {11, 37},
                                             {301, 100},
                                             {100, 301},
                                             {1000, 7},
                                             {1031, 1}}) {
    for (const Filter filter : {Filter::bilinear, Filter::bicubic}) {
      const int64_t begin = dst_width / 4;
      const FixedTaps taps = fixed_taps(src_width, dst_width, begin, dst_width - begin, filter);
      const int64_t origin = taps.begin();
      for (int channels = 1; channels <= 4; ++channels) {
        for (const int64_t rows : {1, 3, 4, 7, 16}) {
          const Rows src(rows, (taps.end() - origin) * channels, 5);
          Rows got(rows, taps.count() * channels, 6);
          Rows expected = got;
          for (int64_t i = 0; i < rows; ++i) expected.pointers[i] = expected.rows[i].data();
          std::vector<uint8_t> scratch;
          GetParam().horizontal(taps, origin, src.pointers.data(), rows, channels, got.pointers.data(),
                                scratch);
          resample_faces().back().horizontal(taps, origin, src.pointers.data(), rows, channels,
                                             expected.pointers.data(), scratch);
          for (int64_t row = 0; row < rows; ++row) {
            for (int64_t i = 0; i < taps.count() * channels; ++i, ++compared) {
              ASSERT_EQ(got.rows[row][i], expected.rows[row][i])
                  << src_width << " to " << dst_width << ", " << channels << " channels, row " << row
                  << " of " << rows << ", sample " << i;
            }
          }
        }
      }
    }
  }
  RecordProperty("compared", static_cast<int>(compared));
}

TEST_P(ResampleFaces, VerticalPassEqualsRef) {
  for (const auto& [src_height, dst_height] :
       {std::pair<int64_t, int64_t>{1, 5}, {3, 2}, {9, 31}, {100, 9}, {500, 1}, {501, 3}}) {
    const FixedTaps taps = fixed_taps(src_height, dst_height, 0, dst_height, Filter::bicubic);
    for (const int64_t length : {1, 31, 32, 33, 400}) {
      const Rows src(src_height, length, 8);
      for (int64_t y = 0; y < dst_height; ++y) {
        std::vector<uint8_t> got(static_cast<size_t>(length + k_row_slack));
        std::vector<uint8_t> expected = got;
        const uint8_t* const* first = src.pointers.data() + taps.first[y];
        GetParam().vertical(taps, y, first, length, got.data());
        resample_faces().back().vertical(taps, y, first, length, expected.data());
        got.resize(static_cast<size_t>(length));
        expected.resize(static_cast<size_t>(length));
        ASSERT_EQ(got, expected) << src_height << " to " << dst_height << ", length " << length << ", row "
                                 << y;
      }
    }
  }
}

// On a CPU without its instructions a face is no test, instead of one that did not run.
std::vector<ResampleFace> faces_of_this_cpu() {
  std::vector<ResampleFace> faces;
  for (const ResampleFace& face : resample_faces()) {
    if (includes(usable_isa(), face.needs)) faces.push_back(face);
  }
  return faces;
}

INSTANTIATE_TEST_SUITE_P(, ResampleFaces, testing::ValuesIn(faces_of_this_cpu()),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(Colour, PremultipliedRowsEqualTheSingleSteps) {
  // Every pair of colour and alpha, in rows long enough for the wide path and short enough for the rest.
  for (const int64_t pixels : {1, 2, 3, 7, 8, 9, 65536}) {
    std::vector<uint8_t> rgba;
    for (int64_t i = 0; i < pixels; ++i) {
      const uint8_t colour = static_cast<uint8_t>(i % 256);
      rgba.insert(rgba.end(), {colour, static_cast<uint8_t>(255 - colour), 3, static_cast<uint8_t>(i / 256)});
    }
    std::vector<uint8_t> premultiplied(rgba.size());
    std::vector<uint8_t> rgb(static_cast<size_t>(pixels * 3));
    premultiply_row(rgba.data(), pixels, 4, premultiplied.data());
    premultiplied_to_rgb_row(rgba.data(), pixels, 4, rgb.data());
    for (int64_t i = 0; i < pixels; ++i) {
      const uint8_t alpha = rgba[i * 4 + 3];
      ASSERT_EQ(premultiplied[i * 4 + 3], alpha);
      for (int c = 0; c < 3; ++c) {
        ASSERT_EQ(premultiplied[i * 4 + c], multiply_255(rgba[i * 4 + c], alpha)) << "pixel " << i;
        ASSERT_EQ(rgb[i * 3 + c], divide_by_alpha(rgba[i * 4 + c], alpha)) << "pixel " << i;
      }
    }
  }
}

}  // namespace
}  // namespace crane::image
