// Engine results as JavaScript values.
#pragma once

#include <napi.h>

#include <vector>

#include "async_task.h"
#include "core/error.h"
#include "core/traced_stage.h"
#include "image/regions.h"

namespace crane::bindings {

// The values as an array that JavaScript owns, copied: for few values (filled_array.h is for many).
Napi::Float32Array float_array(Napi::Env env, const std::vector<float>& values);
Napi::Value regions_to_js(Napi::Env env, std::vector<image::Region>& regions);
Napi::Value stages_to_js(Napi::Env env, TracedStages& stages);

using Keep = std::vector<Napi::Reference<Napi::Value>>;
Napi::Reference<Napi::Value> reference_to(const Napi::Value& value);
Keep keep_alive(const Napi::Value& value);

// Checks made while reading arguments become JavaScript errors with a code.
template <typename Function>
Napi::Value guarded(const Napi::CallbackInfo& info, Function function) {
  try {
    return function();
  } catch (const Napi::Error&) {
    throw;
  } catch (...) {
    throw to_js_error(info.Env(), as_crane_error(std::current_exception()));
  }
}

}  // namespace crane::bindings
