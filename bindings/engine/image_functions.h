#pragma once

#include <napi.h>

namespace crane::bindings {

// normalise, resizePicture, resizeMask, resizeMap, overlay, demosaic, regions of src/addon/native.ts.
void add_image_functions(Napi::Env env, Napi::Object exports);

}  // namespace crane::bindings
