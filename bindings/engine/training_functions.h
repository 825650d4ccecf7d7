// Training functions of NativeAddon (src/addon/native.ts) that need no engine.
#pragma once

#include <napi.h>

namespace crane::bindings {

void add_training_functions(Napi::Env env, Napi::Object exports);

}  // namespace crane::bindings
