#include "image_functions.h"

#include "arguments.h"
#include "async_task.h"
#include "filled_array.h"
#include "image/demosaic.h"
#include "image/map.h"
#include "image/mask.h"
#include "image/normalise.h"
#include "image/overlay.h"
#include "image/regions.h"
#include "image/resize.h"
#include "results.h"

namespace crane::bindings {
namespace {

int64_t side_of(const Napi::Value& value) { return value.ToNumber().Int64Value(); }

struct MapArgument {
  const float* data;
  int64_t width;
  int64_t height;
};

MapArgument map_of(const Napi::Value& data, const Napi::Value& width, const Napi::Value& height) {
  if (!data.IsTypedArray() || data.As<Napi::TypedArray>().TypedArrayType() != napi_float32_array) {
    throw Napi::TypeError::New(data.Env(), "expected a Float32Array for the map");
  }
  const auto typed = data.As<Napi::Float32Array>();
  const MapArgument map{typed.Data(), side_of(width), side_of(height)};
  image::check_size("map", map.width, map.height);
  check_input(typed.ElementLength() == static_cast<size_t>(map.width * map.height), "E_IMAGE_SHAPE",
              "a map of ", map.width, " x ", map.height, " needs ", map.width * map.height, " values, got ",
              typed.ElementLength());
  return map;
}

Napi::Value resize_picture(const Napi::CallbackInfo& call) {
  return guarded(call, [&] {
    const Napi::Object js = call[0].As<Napi::Object>();
    const image::PictureView picture = picture_of(js);
    const int64_t width = side_of(call[1]);
    const int64_t height = side_of(call[2]);
    image::check_size("target", width, height);
    return run_filling<uint8_t>(
        call.Env(), static_cast<size_t>(width * height * 3),
        [=](uint8_t* rgb) { image::resize_to_rgb(picture, width, height, image::Filter::bicubic, rgb); },
        keep_alive(js.Get("data")));
  });
}

Napi::Value resize_mask(const Napi::CallbackInfo& call) {
  return guarded(call, [&] {
    const Napi::Object js = call[0].As<Napi::Object>();
    const image::PictureView mask = picture_of(js);
    const int64_t width = side_of(call[1]);
    const int64_t height = side_of(call[2]);
    image::check_size("target", width, height);
    return run_filling<uint8_t>(
        call.Env(), static_cast<size_t>(width * height),
        [=](uint8_t* bits) { image::resize_mask(mask, width, height, bits); }, keep_alive(js.Get("data")));
  });
}

std::array<float, 3> constants_of(const Napi::Value& value) {
  std::array<float, 3> result{};
  const auto list = value.As<Napi::Array>();
  for (uint32_t i = 0; i < 3; ++i) result[i] = list.Get(i).ToNumber().FloatValue();
  return result;
}

Napi::Value normalise(const Napi::CallbackInfo& call) {
  return guarded(call, [&] {
    const auto rgb = call[0].As<Napi::Uint8Array>();
    const int64_t width = side_of(call[1]);
    const int64_t height = side_of(call[2]);
    image::check_size("picture", width, height);
    check_input(rgb.ElementLength() == static_cast<size_t>(width * height * 3), "E_IMAGE_SHAPE",
                "an RGB picture of ", width, " x ", height, " needs ", width * height * 3, " bytes, got ",
                rgb.ElementLength());
    const image::Normalisation constants{constants_of(call[3]), constants_of(call[4])};
    const uint8_t* src = rgb.Data();
    return run_filling<float>(
        call.Env(), static_cast<size_t>(width * height * 3),
        [=](float* planes) { image::normalise(src, width, height, constants, planes); }, keep_alive(call[0]));
  });
}

Napi::Value resize_map(const Napi::CallbackInfo& call) {
  return guarded(call, [&] {
    const MapArgument map = map_of(call[0], call[1], call[2]);
    const int64_t width = side_of(call[3]);
    const int64_t height = side_of(call[4]);
    image::check_size("target", width, height);
    return run_filling<float>(
        call.Env(), static_cast<size_t>(width * height),
        [=](float* resized) { image::resize_map(map.data, map.width, map.height, width, height, resized); },
        keep_alive(call[0]));
  });
}

Napi::Value overlay(const Napi::CallbackInfo& call) {
  return guarded(call, [&] {
    const Napi::Object js = call[0].As<Napi::Object>();
    const image::PictureView picture = picture_of(js);
    const MapArgument map = map_of(call[1], call[2], call[3]);
    const double low = call[4].ToNumber().DoubleValue();
    const double high = call[5].ToNumber().DoubleValue();
    Keep keep = keep_alive(js.Get("data"));
    keep.push_back(reference_to(call[1]));
    return run_filling<uint8_t>(
        call.Env(), static_cast<size_t>(picture.width * picture.height * 3),
        [=](uint8_t* rgb) { image::overlay_heat(picture, map.data, map.width, map.height, low, high, rgb); },
        std::move(keep));
  });
}

Napi::Value regions(const Napi::CallbackInfo& call) {
  return guarded(call, [&] {
    const MapArgument map = map_of(call[0], call[1], call[2]);
    const double threshold = call[3].ToNumber().DoubleValue();
    return run_async(
        call.Env(), io_threads(),
        [=] { return image::find_regions(map.data, map.width, map.height, threshold); }, regions_to_js,
        keep_alive(call[0]));
  });
}

image::BayerPattern pattern_of(const Napi::Value& value) {
  const auto list = value.As<Napi::Array>();
  image::BayerPattern pattern{};
  for (uint32_t i = 0; i < pattern.size(); ++i) pattern[i] = list.Get(i).ToNumber().Int32Value();
  check_input(list.Length() == pattern.size() && image::is_bayer(pattern), "E_IMAGE_FORMAT",
              "a mosaic whose four cells are not two greens on a diagonal, one red and one blue");
  return pattern;
}

Napi::Value demosaic(const Napi::CallbackInfo& call) {
  return guarded(call, [&] {
    const auto mosaic = call[0].As<Napi::Uint8Array>();
    const int64_t width = side_of(call[1]);
    const int64_t height = side_of(call[2]);
    const image::BayerPattern pattern = pattern_of(call[3]);
    auto rgb = call[4].As<Napi::Uint8Array>();
    image::check_size("mosaic", width, height);
    check_input(width >= 2 && height >= 2, "E_IMAGE_SHAPE", "a mosaic of ", width, " x ", height,
                " cells, at least 2 a side are needed");
    const auto cells = static_cast<size_t>(width * height);
    check_input(mosaic.ElementLength() == cells && rgb.ElementLength() == 3 * cells, "E_IMAGE_SHAPE",
                "a mosaic of ", width, " x ", height, " needs ", cells,
                " bytes and gives three times that, got ", mosaic.ElementLength(), " and ",
                rgb.ElementLength());
    const uint8_t* src = mosaic.Data();
    uint8_t* dst = rgb.Data();
    Keep keep = keep_alive(call[0]);
    keep.push_back(reference_to(call[4]));
    return run_async(
        call.Env(), io_threads(),
        [=] {
          image::demosaic(src, width, height, pattern, dst);
          return true;
        },
        [](Napi::Env env, bool) { return env.Undefined(); }, std::move(keep));
  });
}

}  // namespace

void add_image_functions(Napi::Env env, Napi::Object exports) {
  exports.Set("resizePicture", Napi::Function::New<resize_picture>(env, "resizePicture"));
  exports.Set("resizeMask", Napi::Function::New<resize_mask>(env, "resizeMask"));
  exports.Set("normalise", Napi::Function::New<normalise>(env, "normalise"));
  exports.Set("resizeMap", Napi::Function::New<resize_map>(env, "resizeMap"));
  exports.Set("overlay", Napi::Function::New<overlay>(env, "overlay"));
  exports.Set("demosaic", Napi::Function::New<demosaic>(env, "demosaic"));
  exports.Set("regions", Napi::Function::New<regions>(env, "regions"));
}

}  // namespace crane::bindings
