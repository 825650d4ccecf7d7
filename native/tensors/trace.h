// Collects inner stages by name, for parity tests and research. A null Trace* costs nothing.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/traced_stage.h"
#include "tensors/torch_headers.h"

namespace crane {

class Trace {
 public:
  // Adds along the first axis when the stage was recorded before (one call per picture of a batch).
  void record(const std::string& stage, const at::Tensor& value);
  // Everything that `inner` recorded, under the names that `rename` gives.
  void record_all(const Trace& inner, const std::function<std::string(const std::string&)>& rename);
  // `maps_first` names stages recorded as [B, maps, ...] that are shown as [maps, B, ...].
  TracedStages to_host(const std::vector<std::string>& maps_first) const;

 private:
  std::map<std::string, at::Tensor> stages_;
};

}  // namespace crane
