#include "mask_functions.h"

#include "arguments.h"
#include "filled_array.h"
#include "image/mask_marks.h"
#include "image/mosaic.h"
#include "results.h"
#include "typed_arrays.h"

namespace crane::bindings {
namespace {

constexpr const char* k_mask_bytes = "a Uint8Array for the mask";

size_t pixels_of(const image::PictureView& picture) {
  return static_cast<size_t>(picture.width * picture.height);
}

Napi::Value mark_mask(const Napi::CallbackInfo& call) {
  return guarded(call, [&] {
    const Napi::Object js = call[0].As<Napi::Object>();
    const image::PictureView mask = picture_of(js);
    const bool is_lossy = call[1].ToBoolean().Value();
    return run_filling<uint8_t>(
        call.Env(), pixels_of(mask), [=](uint8_t* marks) { image::mark_mask(mask, is_lossy, marks); },
        keep_alive(js.Get("data")));
  });
}

Napi::Value grey_mask(const Napi::CallbackInfo& call) {
  return guarded(call, [&] {
    const Napi::Object js = call[0].As<Napi::Object>();
    const image::PictureView mask = picture_of(js);
    return run_filling<uint8_t>(
        call.Env(), pixels_of(mask), [=](uint8_t* grey) { image::grey_mask(mask, grey); },
        keep_alive(js.Get("data")));
  });
}

Napi::Value unite_masks(const Napi::CallbackInfo& call) {
  return guarded(call, [&] {
    Napi::Uint8Array into = bytes_of(call[0], k_mask_bytes);
    const Napi::Uint8Array other = bytes_of(call[1], k_mask_bytes);
    check_input(into.ElementLength() == other.ElementLength(), "E_IMAGE_SHAPE", "masks of ",
                into.ElementLength(), " and ", other.ElementLength(), " pixels cannot be united");
    Keep keep = keep_alive(into);
    keep.push_back(reference_to(other));
    return run_async(
        call.Env(), io_threads(),
        [dst = into.Data(), src = other.Data(), count = static_cast<int64_t>(into.ElementLength())] {
          image::unite_mask(src, count, dst);
          return true;
        },
        [](Napi::Env env, bool) { return env.Undefined(); }, std::move(keep));
  });
}

Napi::Value turn_mask(const Napi::CallbackInfo& call) {
  return guarded(call, [&] {
    const Napi::Object js = call[0].As<Napi::Object>();
    const image::PictureView mask = picture_of(js);
    check_input(mask.mode == image::Mode::l, "E_IMAGE_SHAPE", "a mask of 8-bit grey is needed here");
    const int orientation = call[1].ToNumber().Int32Value();
    return run_filling<uint8_t>(
        call.Env(), pixels_of(mask),
        [=](uint8_t* turned) {
          image::turn_mask(static_cast<const uint8_t*>(mask.data), mask.width, mask.height, orientation,
                           turned);
        },
        keep_alive(js.Get("data")));
  });
}

struct Tiles {
  std::array<image::PictureView, image::k_mosaic_tiles> views;
  Keep keep;
};

Tiles tiles_of(const Napi::Value& value) {
  const auto list = value.As<Napi::Array>();
  check_input(list.Length() == image::k_mosaic_tiles, "E_IMAGE_SHAPE", "a mosaic has ", image::k_mosaic_tiles,
              " tiles, got ", list.Length());
  Tiles tiles;
  for (uint32_t i = 0; i < list.Length(); ++i) {
    const Napi::Object js = list.Get(i).As<Napi::Object>();
    tiles.views[i] = picture_of(js);
    tiles.keep.push_back(reference_to(js.Get("data")));
  }
  return tiles;
}

// Channels: of the result. Compose: of views, sides and the memory of the result.
template <int Channels, auto Compose>
Napi::Value mosaic(const Napi::CallbackInfo& call) {
  return guarded(call, [&] {
    Tiles tiles = tiles_of(call[0]);
    const int64_t width = call[1].ToNumber().Int64Value();
    const int64_t height = call[2].ToNumber().Int64Value();
    image::check_size("mosaic", width, height);
    return run_filling<uint8_t>(
        call.Env(), static_cast<size_t>(width * height * Channels),
        [views = tiles.views, width, height](uint8_t* dst) { Compose(views, width, height, dst); },
        std::move(tiles.keep));
  });
}

}  // namespace

void add_mask_functions(Napi::Env env, Napi::Object exports) {
  exports.Set("markMask", Napi::Function::New<mark_mask>(env, "markMask"));
  exports.Set("greyMask", Napi::Function::New<grey_mask>(env, "greyMask"));
  exports.Set("uniteMasks", Napi::Function::New<unite_masks>(env, "uniteMasks"));
  exports.Set("turnMask", Napi::Function::New<turn_mask>(env, "turnMask"));
  exports.Set("mosaicOfPictures",
              Napi::Function::New<mosaic<3, image::mosaic_of_pictures>>(env, "mosaicOfPictures"));
  exports.Set("mosaicOfMasks", Napi::Function::New<mosaic<1, image::mosaic_of_masks>>(env, "mosaicOfMasks"));
}

}  // namespace crane::bindings
