#include "train/feature_file.h"

#include "weights/safetensors.h"

namespace crane::train {
namespace {

std::span<const std::byte> bytes_of(const at::Tensor& tensor) {
  return {static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()};
}

at::Tensor as_float(const weights::TensorView& view) {
  const auto type = view.dtype == weights::DType::f16 ? at::kHalf : at::kFloat;
  const at::Tensor mapped =
      at::from_blob(const_cast<std::byte*>(view.data), view.shape, at::TensorOptions().dtype(type));
  return mapped.to(at::kFloat, /*non_blocking=*/false, /*copy=*/true);
}

}  // namespace

void write_features(const std::string& path, const PictureFeatures& features, FeaturePrecision precision) {
  const bool is_half = precision == FeaturePrecision::f16;
  const weights::DType dtype = is_half ? weights::DType::f16 : weights::DType::f32;
  std::vector<at::Tensor> stored;
  std::vector<weights::SafetensorsEntry> entries;
  std::map<std::string, std::string> metadata{{k_features_format, k_features_version}};
  for (const auto& [name, value] : features) {
    stored.push_back(value.to(at::kCPU).to(is_half ? at::kHalf : at::kFloat).contiguous());
    entries.push_back({name, dtype, stored.back().sizes().vec()});
    metadata["crc32." + name] = features_checksum(bytes_of(stored.back()));
  }
  weights::SafetensorsWriter writer(path, entries, metadata);
  for (size_t i = 0; i < stored.size(); ++i) writer.append(i, bytes_of(stored[i]));
  writer.finish();
}

PictureFeatures read_features(const std::string& path, const FeatureSizes& sizes) {
  const StoredFeatures stored = open_features(path, sizes);
  PictureFeatures features;
  for (const weights::TensorView* view : stored.tensors) features.emplace_back(view->name, as_float(*view));
  return features;
}

}  // namespace crane::train
