#pragma once

#include <napi.h>

namespace crane::bindings {

// timeGemm of src/addon/native.ts.
void add_bench_functions(Napi::Env env, Napi::Object exports);

}  // namespace crane::bindings
