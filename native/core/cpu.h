// What the processor is, and how much of it this process may use.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace crane {

// Cores without their hyper-threads, within the processors that this process may run on and the time that its
// control groups grant; at least 1.
int physical_cores();

// The same for a process that may run on the processors `allowed`, on a machine whose /proc and /sys lie
// below `root`.
int usable_cores(const std::string& root, std::span<const int> allowed);

}  // namespace crane
