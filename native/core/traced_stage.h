#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace crane {

// An inner stage as parity tests see it: row-major float32.
struct TracedStage {
  std::vector<int64_t> shape;
  std::vector<float> data;
};
using TracedStages = std::map<std::string, TracedStage>;

}  // namespace crane
