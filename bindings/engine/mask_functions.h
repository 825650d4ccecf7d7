// Masks and mosaics: NativeAddon of src/addon/native.ts.
#pragma once

#include <napi.h>

namespace crane::bindings {

void add_mask_functions(Napi::Env env, Napi::Object exports);

}  // namespace crane::bindings
