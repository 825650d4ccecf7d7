// Resizing, views, masks and mosaics of pictures of any size and mode that a decoder may hand over.
#include "image/resize.h"

#include <array>
#include <vector>

#include "image/fit.h"
#include "image/map.h"
#include "image/mask.h"
#include "image/mosaic.h"
#include "image/regions.h"
#include "target.h"

namespace {

using namespace crane;

// Takes numbers from the input's front.
class Choices {
 public:
  Choices(const uint8_t* data, size_t size) : data_(data), size_(size) {}

  int64_t below(int64_t bound) {
    const auto low = static_cast<int64_t>(byte());
    const auto high = static_cast<int64_t>(byte());
    return (high * 256 + low) % bound;
  }
  // Sides as they come, most of them small; sometimes none that can be.
  int64_t side() {
    const auto kind = byte();
    if (kind == 255) return -1;
    if (kind == 254) return int64_t{1} << 40;
    if (kind == 253) return 0;
    return kind < 40 ? 1 + below(900) : 1 + below(48);
  }
  uint8_t byte() { return at_ < size_ ? data_[at_++] : uint8_t{0}; }

 private:
  const uint8_t* data_;
  size_t size_;
  size_t at_ = 0;
};

struct Owned {
  std::vector<uint8_t> bytes;
  image::PictureView view;
};

constexpr std::array k_modes = {image::Mode::l,    image::Mode::la,          image::Mode::rgb,
                                image::Mode::rgba, image::Mode::palette_rgb, image::Mode::i16};

Owned picture(Choices& choices, image::Mode mode) {
  Owned made;
  const int64_t width = choices.side();
  const int64_t height = choices.side();
  static constexpr int64_t k_most = 1000;
  const bool is_there = width > 0 && height > 0 && width < k_most && height < k_most;
  made.bytes.resize(is_there ? static_cast<size_t>(width * height * channel_count(mode) * sample_bytes(mode))
                             : size_t{8});
  for (uint8_t& value : made.bytes) value = static_cast<uint8_t>(choices.byte() + made.bytes.size());
  // The size that it claims may be one that cannot be: that must be refused before a byte is read.
  made.view = {.data = made.bytes.data(),
               .width = width,
               .height = height,
               .mode = mode};
  return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Choices choices(data, size);
  const auto filter = choices.byte() % 2 == 0 ? image::Filter::bicubic : image::Filter::bilinear;
  const auto mode = k_modes[choices.byte() % k_modes.size()];
  const uint8_t what = choices.byte() % 5;
  const int64_t width = 1 + choices.below(300);
  const int64_t height = 1 + choices.below(300);
  const Owned first = picture(choices, mode);
  const size_t pixels = static_cast<size_t>(width * height);
  const size_t beyond = fire::is_planted("overwrite") ? 1 : 0;
  fire::answered([&] {
    if (what == 0) {
      std::vector<uint8_t> rgb(pixels * 3 - beyond);
      image::resize_to_rgb(first.view, width, height, filter, rgb.data());
    } else if (what == 1) {
      const auto fit = std::array{image::Fit::stretch, image::Fit::pad, image::Fit::tile}[choices.byte() % 3];
      const double overlap = static_cast<double>(choices.byte()) / 250;
      const auto plan = image::plan_views(first.view.width, first.view.height, width, height, fit, overlap);
      std::vector<uint8_t> rgb(pixels * 3 - beyond);
      const size_t step = 1 + plan.views.size() / 8;
      for (size_t i = 0; i < plan.views.size(); i += step)
        image::render_view(first.view, plan, plan.views[i], {1, 2, 3}, rgb.data());
    } else if (what == 2) {
      std::vector<uint8_t> mask(pixels - beyond);
      image::resize_mask(first.view, width, height, mask.data());
    } else if (what == 3) {
      const Owned second = picture(choices, mode);
      std::vector<uint8_t> rgb(pixels * 3 - beyond);
      image::mosaic_of_pictures({first.view, second.view, first.view, second.view}, width, height,
                                rgb.data());
    } else {
      const int64_t side = 1 + choices.below(40);
      std::vector<float> map(static_cast<size_t>(side * side));
      for (float& value : map) value = static_cast<float>(choices.byte()) / 16;
      std::vector<float> resized(pixels - beyond);
      image::resize_map(map.data(), side, side, width, height, resized.data());
      image::gaussian_blur(map.data(), side, side, choices.byte() / 8.0, map.data());
      image::find_regions(map.data(), side, side, 4.0);
    }
  });
  return 0;
}
