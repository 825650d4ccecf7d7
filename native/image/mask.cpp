#include "image/mask.h"

#include "image/colour.h"
#include "image/resample.h"

namespace crane::image {
namespace {

template <typename Sample, typename IsAnomalous>
void mark(const PictureView& mask, int64_t x, int64_t y, int64_t pixels, uint8_t* dst,
          IsAnomalous is_anomalous) {
  const int channels = channel_count(mask.mode);
  const Sample* src = static_cast<const Sample*>(mask.data) + (y * mask.width + x) * channels;
  for (int64_t i = 0; i < pixels; ++i, src += channels) dst[i] = is_anomalous(src) ? 255 : 0;
}

// 255 where the grey value is above 0.
void mark_row(const PictureView& mask, int64_t x, int64_t y, int64_t pixels, uint8_t* dst) {
  switch (mask.mode) {
    case Mode::l:
    case Mode::la:
      return mark<uint8_t>(mask, x, y, pixels, dst, [](const uint8_t* p) { return p[0] > 0; });
    case Mode::i16:
      return mark<uint16_t>(mask, x, y, pixels, dst, [](const uint16_t* p) { return p[0] > 0; });
    case Mode::rgb:
    case Mode::rgba:
    case Mode::palette_rgb:
      return mark<uint8_t>(mask, x, y, pixels, dst,
                           [](const uint8_t* p) { return luma(p[0], p[1], p[2]) > 0; });
  }
}

}  // namespace

void resize_mask(const PictureView& mask, int64_t width, int64_t height, uint8_t* dst) {
  check_picture(mask);
  const Resampling job{.src_width = mask.width,
                       .src_height = mask.height,
                       .dst_width = width,
                       .dst_height = height,
                       .region = {0, 0, width, height},
                       .channels = 1,
                       .filter = Filter::bilinear};
  resample(job, LoadRow<uint8_t>([&](int64_t y, int64_t x, int64_t pixels, uint8_t* row) {
             mark_row(mask, x, y, pixels, row);
           }),
           [&](int64_t y, const uint8_t* row) {
             uint8_t* out = dst + y * width;
             for (int64_t x = 0; x < width; ++x) out[x] = row[x] > 127 ? 1 : 0;
           });
}

}  // namespace crane::image
