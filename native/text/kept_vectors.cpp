#include "text/kept_vectors.h"

#include "core/error.h"
#include "weights/safetensors.h"

namespace crane::text {

namespace {

constexpr const char* k_pair_name = "text_features";

}  // namespace

std::map<std::string, at::Tensor> read_kept(const std::string& path,
                                            const std::map<std::string, std::vector<int64_t>>& shapes) {
  try {
    std::map<std::string, at::Tensor> tensors;
    const auto file = weights::open_weights(path);
    for (const auto& [name, shape] : shapes) {
      const weights::TensorView* view = file->find(name);
      if (view == nullptr || view->dtype != weights::DType::f32 || view->shape != shape) return {};
      const at::Tensor tensor = at::empty(shape, at::TensorOptions().dtype(at::kFloat));
      weights::copy_as_f32(*view, tensor.mutable_data_ptr<float>());
      tensors[name] = tensor;
    }
    return tensors;
  } catch (const Error&) {
    return {};
  }
}

void keep(const std::string& path, const std::map<std::string, at::Tensor>& tensors) {
  std::vector<weights::SafetensorsEntry> entries;
  std::vector<at::Tensor> hosts;
  for (const auto& [name, tensor] : tensors) {
    hosts.push_back(tensor.detach().to(at::kCPU, at::kFloat).contiguous());
    entries.push_back({name, weights::DType::f32, tensor.sizes().vec()});
  }
  try {
    weights::SafetensorsWriter writer(path, entries, {});
    for (size_t i = 0; i < hosts.size(); ++i) {
      writer.append(i, {static_cast<const std::byte*>(hosts[i].const_data_ptr()), hosts[i].nbytes()});
    }
    writer.finish();
  } catch (const Error&) {
    // see the header
  }
}

at::Tensor read_kept_vectors(const std::string& path, int64_t joint_width) {
  const auto found = read_kept(path, {{k_pair_name, {2, joint_width}}});
  return found.empty() ? at::Tensor() : found.at(k_pair_name);
}

void keep_vectors(const std::string& path, const at::Tensor& vectors) {
  keep(path, {{k_pair_name, vectors}});
}

}  // namespace crane::text
