// createMetricEvaluator of src/addon/native.ts.
#pragma once

#include <napi.h>

namespace crane::bindings {

void add_metric_functions(Napi::Env env, Napi::Object exports);

}  // namespace crane::bindings
