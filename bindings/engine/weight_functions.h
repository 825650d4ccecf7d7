#pragma once

#include <napi.h>

namespace crane::bindings {

// inspectWeights, readTensor, verifyWeights, convertWeights, synthWeights of src/addon/native.ts.
void add_weight_functions(Napi::Env env, Napi::Object exports);

}  // namespace crane::bindings
