// Bootstraps over pictures for JavaScript: intervals of figures, thresholds of best F1.
#pragma once

#include <napi.h>

namespace crane::bindings {

void add_bootstrap_functions(Napi::Env env, Napi::Object exports);

}  // namespace crane::bindings
