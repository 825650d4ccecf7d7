// The setting "temperature": what products of unit rows are divided by before the softmax.
#pragma once

#include "methods/settings.h"

namespace crane::methods {

// Within what float32 can divide by. Errors: E_MODEL_CONFIG.
inline void read_temperature(SettingsReader& read, double& into) {
  read.number("temperature", into, 1e-6, 100);
}

}  // namespace crane::methods
