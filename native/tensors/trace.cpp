#include "tensors/trace.h"

#include <algorithm>

namespace crane {

void Trace::record(const std::string& stage, const at::Tensor& value) {
  const at::Tensor copy = value.detach().to(at::kCPU, at::kFloat).contiguous().clone();
  const auto [entry, is_new] = stages_.try_emplace(stage, copy);
  if (!is_new) entry->second = at::cat({entry->second, copy}, /*dim=*/0);
}

void Trace::record_all(const Trace& inner, const std::function<std::string(const std::string&)>& rename) {
  for (const auto& [stage, value] : inner.stages_) record(rename(stage), value);
}

TracedStages Trace::to_host(const std::vector<std::string>& maps_first) const {
  TracedStages shown;
  for (const auto& [name, value] : stages_) {
    const bool flips = std::find(maps_first.begin(), maps_first.end(), name) != maps_first.end();
    const at::Tensor tensor = flips ? value.transpose(0, 1).contiguous() : value;
    const float* data = tensor.const_data_ptr<float>();
    shown[name] = {tensor.sizes().vec(), {data, data + tensor.numel()}};
  }
  return shown;
}

}  // namespace crane
