#include "image/resize.h"

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <vector>

#include "core/error.h"
#include "image/colour.h"
#include "image/resample.h"

namespace crane::image {
namespace {

template <typename Sample>
const Sample* pixel_at(const PictureView& picture, int64_t x, int64_t y) {
  return static_cast<const Sample*>(picture.data) + (y * picture.width + x) * channel_count(picture.mode);
}

// RGB of a row in the picture's own mode, straight alpha.
void row_to_rgb(const PictureView& picture, int64_t x, int64_t y, int64_t pixels, uint8_t* dst) {
  switch (picture.mode) {
    case Mode::l:
      return grey_to_rgb_row(pixel_at<uint8_t>(picture, x, y), pixels, dst);
    case Mode::i16:
      return grey16_to_rgb_row(pixel_at<uint16_t>(picture, x, y), pixels, dst);
    case Mode::la:
    case Mode::rgba:
      return straight_alpha_to_rgb_row(pixel_at<uint8_t>(picture, x, y), pixels, channel_count(picture.mode),
                                       dst);
    case Mode::rgb:
    case Mode::palette_rgb:
      std::memcpy(dst, pixel_at<uint8_t>(picture, x, y), static_cast<size_t>(pixels * 3));
  }
}

// Source position of each output. Pillow adds the step up instead of multiplying, and rounds accordingly.
std::vector<int64_t> nearest_positions(int64_t src_size, int64_t dst_size) {
  std::vector<int64_t> positions(static_cast<size_t>(dst_size));
  const double step = static_cast<double>(src_size) / static_cast<double>(dst_size);
  double position = step * 0.5;
  for (int64_t& index : positions) {
    index = std::min(static_cast<int64_t>(position), src_size - 1);
    position += step;
  }
  return positions;
}

void nearest_region(const PictureView& picture, int64_t width, int64_t height, const Rect& region,
                    uint8_t* dst, int64_t dst_stride) {
  const std::vector<int64_t> columns = nearest_positions(picture.width, width);
  const std::vector<int64_t> lines = nearest_positions(picture.height, height);
  for (int64_t y = 0; y < region.height; ++y, dst += dst_stride) {
    const uint8_t* row = pixel_at<uint8_t>(picture, 0, lines[region.y + y]);
    for (int64_t x = 0; x < region.width; ++x) std::memcpy(dst + x * 3, row + columns[region.x + x] * 3, 3);
  }
}

void resample_region(const PictureView& picture, const Resampling& job, uint8_t* dst, int64_t dst_stride) {
  const int64_t pixels = job.region.width;
  const int channels = job.channels;
  const auto copy_row = [&](int64_t y, int64_t x, int64_t count, auto* row) {
    using Sample = std::remove_pointer_t<decltype(row)>;
    std::memcpy(row, pixel_at<Sample>(picture, x, y), static_cast<size_t>(count * channels) * sizeof(Sample));
  };
  switch (picture.mode) {
    case Mode::l:
      return resample(job, LoadRow<uint8_t>(copy_row), [&](int64_t y, const uint8_t* row) {
        grey_to_rgb_row(row, pixels, dst + y * dst_stride);
      });
    case Mode::i16:
      return resample(job, LoadRow<uint16_t>(copy_row), [&](int64_t y, const uint16_t* row) {
        grey16_to_rgb_row(row, pixels, dst + y * dst_stride);
      });
    case Mode::la:
    case Mode::rgba:
      return resample(job, LoadRow<uint8_t>([&](int64_t y, int64_t x, int64_t count, uint8_t* row) {
                        premultiply_row(pixel_at<uint8_t>(picture, x, y), count, channels, row);
                      }),
                      [&](int64_t y, const uint8_t* row) {
                        premultiplied_to_rgb_row(row, pixels, channels, dst + y * dst_stride);
                      });
    case Mode::rgb:
      return resample(job, LoadRow<uint8_t>(copy_row), [&](int64_t y, const uint8_t* row) {
        std::memcpy(dst + y * dst_stride, row, static_cast<size_t>(pixels * 3));
      });
    case Mode::palette_rgb:
      break;
  }
  CRANE_CHECK_INVARIANT(false, "a mode that is not resampled");
}

}  // namespace

void resize_region_to_rgb(const PictureView& picture, int64_t width, int64_t height, const Rect& region,
                          Filter filter, uint8_t* dst, int64_t dst_stride) {
  check_picture(picture);
  check_size("target of a resize", width, height);
  CRANE_CHECK_INVARIANT(region.x >= 0 && region.y >= 0 && region.width >= 1 && region.height >= 1 &&
                            region.width <= width - region.x && region.height <= height - region.y,
                        "a region outside the picture");
  if (width == picture.width && height == picture.height) {
    for (int64_t y = 0; y < region.height; ++y) {
      row_to_rgb(picture, region.x, region.y + y, region.width, dst + y * dst_stride);
    }
  } else if (picture.mode == Mode::palette_rgb) {
    nearest_region(picture, width, height, region, dst, dst_stride);
  } else {
    resample_region(picture,
                    {.src_width = picture.width,
                     .src_height = picture.height,
                     .dst_width = width,
                     .dst_height = height,
                     .region = region,
                     .channels = channel_count(picture.mode),
                     .filter = filter},
                    dst, dst_stride);
  }
}

void resize_to_rgb(const PictureView& picture, int64_t width, int64_t height, Filter filter, uint8_t* dst) {
  resize_region_to_rgb(picture, width, height, {0, 0, width, height}, filter, dst, width * 3);
}

}  // namespace crane::image
