#include "train/saved_training.h"

#include "core/error.h"

namespace crane::train {
namespace {

constexpr const char* k_format = "crane.training";
constexpr const char* k_version = "1";

}  // namespace

void save_training(const std::string& path, const Parameters& parameters, const Adam& adam,
                   const Parameters& own, const std::vector<ExtraTensor>& extra,
                   const std::map<std::string, std::string>& metadata) {
  TensorList list;
  for (size_t i = 0; i < parameters.size(); ++i) {
    const auto& [name, tensor] = parameters[i];
    list.add("param." + name, tensor);
    list.add("adam.first." + name, adam.moments()[i].first);
    list.add("adam.second." + name, adam.moments()[i].second);
  }
  list.add("adam.steps", at::full({1}, adam.steps(), at::TensorOptions().dtype(at::kLong)));
  for (const auto& [name, tensor] : own) list.add(name, tensor);
  for (const ExtraTensor& tensor : extra) {
    const at::Tensor values = tensor.is_integer
                                  ? at::tensor(tensor.integers, at::TensorOptions().dtype(at::kInt))
                                  : at::tensor(tensor.doubles, at::TensorOptions().dtype(at::kDouble));
    list.add("extra." + tensor.name, values);
  }
  std::map<std::string, std::string> all = metadata;
  all.insert_or_assign(k_format, std::string(k_version));
  list.write_safetensors(path, all);
}

SavedTraining::SavedTraining(const std::string& path) : path_(path), file_(weights::open_weights(path)) {
  const auto format = file_->metadata().find(k_format);
  check_input(format != file_->metadata().end() && format->second == k_version, "E_TRAIN_RESUME", path,
              ": no saved training, or one of another version");
}

const weights::TensorView& SavedTraining::view(const std::string& name) const {
  const weights::TensorView* view = file_->find(name);
  check_input(view != nullptr, "E_TRAIN_RESUME", path_, ": ", name, " is missing");
  return *view;
}

at::Tensor SavedTraining::floats(const std::string& name, at::Device device) const {
  const weights::TensorView& stored = view(name);
  at::Tensor tensor = at::empty(stored.shape, at::TensorOptions().dtype(at::kFloat));
  weights::copy_as_f32(stored, tensor.data_ptr<float>());
  return tensor.to(device);
}

std::vector<int32_t> SavedTraining::integers(const std::string& name) const {
  const weights::TensorView& stored = view(name);
  std::vector<int32_t> values(static_cast<size_t>(stored.numel()));
  weights::copy_as_i32(stored, values.data());
  return values;
}

Adam::Moments SavedTraining::moments(const std::string& name, const at::Tensor& parameter) const {
  const at::Device device = parameter.device();
  Adam::Moments moments{floats("adam.first." + name, device), floats("adam.second." + name, device)};
  check_input(moments.first.sizes() == parameter.sizes() && moments.second.sizes() == parameter.sizes(),
              "E_TRAIN_RESUME", path_, ": the moments of ", name, " have another shape than it");
  return moments;
}

int64_t SavedTraining::steps() const {
  const std::vector<int32_t> stored = integers("adam.steps");
  check_input(stored.size() == 1, "E_TRAIN_RESUME", path_, ": adam.steps is missing");
  check_input(stored[0] >= 0, "E_TRAIN_RESUME", path_, ": ", stored[0], " steps");
  return stored[0];
}

}  // namespace crane::train
