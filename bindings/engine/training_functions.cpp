#include "training_functions.h"

#include "arguments.h"
#include "async_task.h"
#include "image/mask.h"
#include "image/resize.h"
#include "results.h"
#include "train/cells.h"
#include "train/order.h"
#include "train/stored_features.h"

namespace crane::bindings {
namespace {

int64_t whole(const Napi::Value& value) { return value.ToNumber().Int64Value(); }

train::CellGrid grid_of(const Napi::Object& js) {
  return {static_cast<int64_t>(number_of(js, "height")), static_cast<int64_t>(number_of(js, "width"))};
}

// A FeatureShape of training.ts.
struct FileShape {
  train::FeatureSizes sizes;
  int64_t cells = 0;
};

FileShape file_shape_of(const Napi::Object& js) {
  FileShape shape;
  const auto tensors = object_of(js, "tensors").As<Napi::Array>();
  for (uint32_t i = 0; i < tensors.Length(); ++i) {
    const Napi::Object tensor = tensors.Get(i).As<Napi::Object>();
    shape.sizes.emplace_back(string_of(tensor, "name"), integers_of(tensor, "shape"));
  }
  const train::CellGrid grid = grid_of(object_of(js, "grid"));
  shape.cells = grid.height * grid.width;
  return shape;
}

const char* state_name(train::FeatureState state) {
  switch (state) {
    case train::FeatureState::whole:
      return "whole";
    case train::FeatureState::of_before:
      return "of-before";
    case train::FeatureState::damaged:
      return "damaged";
    case train::FeatureState::missing:
      return "missing";
  }
  return "missing";
}

Napi::Value check_features(const Napi::CallbackInfo& call) {
  return guarded(call, [&] {
    const std::string path = call[0].ToString().Utf8Value();
    const FileShape shape = file_shape_of(call[1].As<Napi::Object>());
    return run_async(
        call.Env(), io_threads(), [=] { return train::check_features(path, shape.sizes, shape.cells); },
        [](Napi::Env env, train::FeatureCheck& check) -> Napi::Value {
          Napi::Object masks = Napi::Object::New(env);
          for (const auto& [name, pixels] : check.masks) masks.Set(name, static_cast<double>(pixels));
          Napi::Object js = Napi::Object::New(env);
          js.Set("state", state_name(check.state));
          js.Set("masks", masks);
          return js;
        });
  });
}

Napi::Value add_cells(const Napi::CallbackInfo& call) {
  return guarded(call, [&] {
    const std::string path = call[0].ToString().Utf8Value();
    const FileShape shape = file_shape_of(call[1].As<Napi::Object>());
    const auto masks = mask_cells_of(call[2]);
    return run_async(
        call.Env(), io_threads(),
        [=] {
          train::add_cells(path, shape.sizes, shape.cells, masks);
          return true;
        },
        [](Napi::Env env, bool&) -> Napi::Value { return env.Undefined(); });
  });
}

Napi::Value count_cells(const Napi::CallbackInfo& call) {
  return guarded(call, [&] {
    const Napi::Object js = call[0].As<Napi::Object>();
    const image::PictureView mask = picture_of(js);
    const int64_t width = whole(call[1]);
    const int64_t height = whole(call[2]);
    image::check_size("target", width, height);
    const train::CellGrid grid = grid_of(call[3].As<Napi::Object>());
    check_input(grid.height > 0 && grid.width > 0 && grid.height <= height && grid.width <= width,
                "E_IMAGE_SHAPE", "a grid of ", grid.width, " x ", grid.height, " cells on ", width, " x ",
                height, " pixels");
    Keep keep;
    keep.push_back(reference_to(js.Get("data")));
    return run_async(
        call.Env(), io_threads(),
        [=] {
          std::vector<uint8_t> resized(static_cast<size_t>(width * height));
          image::resize_mask(mask, width, height, resized.data());
          return train::anomalous_per_cell(resized.data(), height, width, grid);
        },
        [](Napi::Env env, std::vector<uint32_t>& counts) -> Napi::Value {
          Napi::Uint32Array array = Napi::Uint32Array::New(env, counts.size());
          std::copy(counts.begin(), counts.end(), array.Data());
          return array;
        },
        std::move(keep));
  });
}

Napi::Value reference_order(const Napi::CallbackInfo& call) {
  return guarded(call, [&] {
    const int64_t seed = whole(call[0]);
    const int64_t count = whole(call[1]);
    const int64_t epoch = whole(call[2]);
    constexpr int64_t k_most = int64_t{1} << 24;
    check_input(seed >= 0 && count >= 0 && count <= k_most && epoch >= 0 && epoch <= k_most, "E_USAGE",
                "no order of ", count, " pictures in epoch ", epoch, " with seed ", seed);
    return run_async(
        call.Env(), compute_thread(),
        [=] { return train::reference_order(static_cast<uint64_t>(seed), count, epoch); },
        [](Napi::Env env, std::vector<int32_t>& order) -> Napi::Value {
          Napi::Int32Array array = Napi::Int32Array::New(env, order.size());
          std::copy(order.begin(), order.end(), array.Data());
          return array;
        });
  });
}

}  // namespace

void add_training_functions(Napi::Env env, Napi::Object exports) {
  exports.Set("checkFeatures", Napi::Function::New<check_features>(env, "checkFeatures"));
  exports.Set("addCells", Napi::Function::New<add_cells>(env, "addCells"));
  exports.Set("countCells", Napi::Function::New<count_cells>(env, "countCells"));
  exports.Set("referenceOrder", Napi::Function::New<reference_order>(env, "referenceOrder"));
}

}  // namespace crane::bindings
