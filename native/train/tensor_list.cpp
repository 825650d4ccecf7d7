#include "train/tensor_list.h"

#include "core/error.h"
#include "weights/safetensors.h"

namespace crane::train {
namespace {

weights::DType dtype_of(const at::Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case at::kFloat:
      return weights::DType::f32;
    case at::kDouble:
      return weights::DType::f64;
    case at::kInt:
      return weights::DType::i32;
    case at::kLong:
      return weights::DType::i64;
    default:
      throw Error("E_INTERNAL", "a tensor of a type that no training has");
  }
}

}  // namespace

void TensorList::add(const std::string& name, const at::Tensor& tensor) {
  tensors_.push_back(tensor.detach().to(at::kCPU).contiguous());
  const at::Tensor& own = tensors_.back();
  views_.push_back(
      {name, dtype_of(own), own.sizes().vec(), static_cast<const std::byte*>(own.const_data_ptr())});
}

void TensorList::write_safetensors(const std::string& path,
                                   const std::map<std::string, std::string>& metadata) const {
  std::vector<weights::SafetensorsEntry> entries;
  for (const weights::TensorView& view : views_) entries.push_back({view.name, view.dtype, view.shape});
  weights::SafetensorsWriter writer(path, entries, metadata);
  for (size_t i = 0; i < views_.size(); ++i) writer.append(i, {views_[i].data, views_[i].bytes()});
  writer.finish();
}

}  // namespace crane::train
