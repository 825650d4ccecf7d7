#include "results.h"

#include <algorithm>

namespace crane::bindings {

Napi::Float32Array float_array(Napi::Env env, const std::vector<float>& values) {
  Napi::Float32Array js = Napi::Float32Array::New(env, values.size());
  std::copy(values.begin(), values.end(), js.Data());
  return js;
}

Napi::Value regions_to_js(Napi::Env env, std::vector<image::Region>& regions) {
  Napi::Array list = Napi::Array::New(env, regions.size());
  for (uint32_t i = 0; i < regions.size(); ++i) {
    const image::Region& region = regions[i];
    Napi::Object js = Napi::Object::New(env);
    js.Set("x", static_cast<double>(region.x));
    js.Set("y", static_cast<double>(region.y));
    js.Set("width", static_cast<double>(region.width));
    js.Set("height", static_cast<double>(region.height));
    js.Set("area", static_cast<double>(region.area));
    js.Set("peak", static_cast<double>(region.peak));
    js.Set("mean", region.mean);
    list.Set(i, js);
  }
  return list;
}

Napi::Value stages_to_js(Napi::Env env, TracedStages& stages) {
  Napi::Object js = Napi::Object::New(env);
  for (auto& [name, stage] : stages) {
    Napi::Object entry = Napi::Object::New(env);
    Napi::Array shape = Napi::Array::New(env, stage.shape.size());
    for (uint32_t i = 0; i < stage.shape.size(); ++i) shape.Set(i, static_cast<double>(stage.shape[i]));
    entry.Set("shape", shape);
    entry.Set("data", float_array(env, stage.data));
    js.Set(name, entry);
  }
  return js;
}

Napi::Reference<Napi::Value> reference_to(const Napi::Value& value) {
  return Napi::Reference<Napi::Value>::New(value, 1);
}

Keep keep_alive(const Napi::Value& value) {
  Keep keep;
  keep.push_back(reference_to(value));
  return keep;
}

}  // namespace crane::bindings
