#pragma once

#include <napi.h>

namespace crane::bindings {

// timeGemm of src/engine/native.ts.
void add_bench_functions(Napi::Env env, Napi::Object exports);

}  // namespace crane::bindings
