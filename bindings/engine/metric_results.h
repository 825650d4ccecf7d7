// Results of native/metrics as the objects of src/metrics/result.ts.
#pragma once

#include <napi.h>

#include "metrics/result.h"

namespace crane::bindings {

Napi::Value class_result_to_js(Napi::Env env, const metrics::ClassResult& result);

}  // namespace crane::bindings
