#include "core/cpu.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>
#include <thread>

#include "core/cpu_quota.h"

#if defined(__linux__)
#include <sched.h>
#endif

namespace crane {

int usable_cores(const std::string& root, std::span<const int> allowed) {
  // Hyper-threads of one core list the same siblings.
  std::set<std::string> cores;
  for (const int cpu : allowed) {
    std::ifstream file(root + "/sys/devices/system/cpu/cpu" + std::to_string(cpu) +
                       "/topology/thread_siblings_list");
    std::string siblings;
    if (file >> siblings) cores.insert(siblings);
  }
  const auto count = static_cast<double>(cores.empty() ? allowed.size() : cores.size());
  // Rounded up: with 1.5 processors' time two threads do more than one.
  return static_cast<int>(std::max(1.0, std::min(count, std::ceil(cpu_quota(root)))));
}

int physical_cores() {
#if defined(__linux__)
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof(allowed), &allowed) == 0) {
    std::vector<int> cpus;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(cpu, &allowed)) cpus.push_back(cpu);
    }
    return usable_cores("", cpus);
  }
#endif
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace crane
