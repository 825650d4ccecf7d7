// The share of the processors that control groups grant, as containers are limited (docker run --cpus,
// Kubernetes' limits).
#pragma once

#include <string>

namespace crane {

// Processors' worth of time (1.5: one and a half), the smallest of all groups that this process is in;
// infinity without a limit. Knows both versions of control groups (cpu.max; cpu.cfs_quota_us). root: as in
// usable_cores.
double cpu_quota(const std::string& root);

}  // namespace crane
