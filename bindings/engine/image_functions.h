#pragma once

#include <napi.h>

#include <string>

namespace crane::bindings {

// normalise, resizePicture, resizeMask, resizeMap, overlay, regions of src/engine/native.ts.
void add_image_functions(Napi::Env env, Napi::Object exports);

// "avx512", "avx2" or "plain": the best the engine's own kernels use here.
std::string isa_name();

}  // namespace crane::bindings
