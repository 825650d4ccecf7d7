// What the processor is.
#pragma once

#include <string>

namespace crane {

// Cores without their hyper-threads, within what this process may use; at least 1.
int physical_cores();

}  // namespace crane
