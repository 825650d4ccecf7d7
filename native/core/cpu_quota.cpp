#include "core/cpu_quota.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <sstream>
#include <string_view>
#include <vector>

namespace crane {
namespace {

constexpr double k_no_limit = std::numeric_limits<double>::infinity();

bool has_word(const std::string& list, std::string_view word) {
  std::istringstream words(list);
  for (std::string next; std::getline(words, next, ',');) {
    if (next == word) return true;
  }
  return false;
}

// A hierarchy of groups as this process sees it.
struct Mount {
  std::string root;   // the group that stands at `point`; another than / inside a container
  std::string point;  // where it can be read
};

// The kernel writes blanks, line ends and backslashes of a path as three octal digits: `\040`.
std::string unescaped(const std::string& path) {
  const auto is_octal = [](char c) { return c >= '0' && c <= '7'; };
  std::string plain;
  for (size_t i = 0; i < path.size(); ++i) {
    const bool is_escape = path[i] == '\\' && i + 3 < path.size() && is_octal(path[i + 1]) &&
                           is_octal(path[i + 2]) && is_octal(path[i + 3]);
    if (is_escape) {
      plain += static_cast<char>((path[i + 1] - '0') * 64 + (path[i + 2] - '0') * 8 + (path[i + 3] - '0'));
      i += 3;
    } else {
      plain += path[i];
    }
  }
  return plain;
}

// From /proc/self/mountinfo: `id parent device root point options optional... - type source super-options`.
bool find_mount(const std::string& root, bool is_second, Mount& found) {
  std::ifstream file(root + "/proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    const size_t dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    std::istringstream before(line.substr(0, dash));
    std::istringstream after(line.substr(dash + 3));
    std::string skipped, type, source, options;
    Mount mount;
    before >> skipped >> skipped >> skipped >> mount.root >> mount.point;
    after >> type >> source >> options;
    if (is_second ? type == "cgroup2" : type == "cgroup" && has_word(options, "cpu")) {
      found = {.root = unescaped(mount.root), .point = unescaped(mount.point)};
      return true;
    }
  }
  return false;
}

// From /proc/self/cgroup, `hierarchy:controllers:group`; version 2 is hierarchy 0 without controllers.
bool find_group(const std::string& root, bool is_second, std::string& group) {
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (is_second ? controllers.empty() : has_word(controllers, "cpu")) {
      group = line.substr(second + 1);
      return true;
    }
  }
  return false;
}

double share(double quota, double period) { return quota > 0 && period > 0 ? quota / period : k_no_limit; }

// cpu.max: `max 100000` or `150000 100000`.
double quota_of_second(const std::string& folder) {
  std::ifstream file(folder + "/cpu.max");
  double quota = 0;
  double period = 0;
  return file >> quota >> period ? share(quota, period) : k_no_limit;
}

// cpu.cfs_quota_us: -1 without a limit.
double quota_of_first(const std::string& folder) {
  std::ifstream quota_file(folder + "/cpu.cfs_quota_us");
  std::ifstream period_file(folder + "/cpu.cfs_period_us");
  double quota = 0;
  double period = 0;
  return quota_file >> quota && period_file >> period ? share(quota, period) : k_no_limit;
}

// A group is bound by the limits of all above it. In a container without a namespace of its own the group's
// name leads nowhere, and what is mounted is the group itself: the way up ends there in any case.
double smallest(const std::string& root, bool is_second) {
  Mount mount;
  std::string group;
  if (!find_mount(root, is_second, mount) || !find_group(root, is_second, group)) return k_no_limit;
  if (mount.root != "/" && group.starts_with(mount.root)) group.erase(0, mount.root.size());
  while (!group.empty() && group.back() == '/') group.pop_back();
  double least = k_no_limit;
  for (;;) {
    std::string folder = root;
    folder.append(mount.point).append(group);
    least = std::min(least, is_second ? quota_of_second(folder) : quota_of_first(folder));
    if (group.empty()) return least;
    const size_t slash = group.rfind('/');
    group.erase(slash == std::string::npos ? 0 : slash);
  }
}

}  // namespace

double cpu_quota(const std::string& root) {
  return std::min(smallest(root, /*is_second=*/true), smallest(root, /*is_second=*/false));
}

}  // namespace crane
