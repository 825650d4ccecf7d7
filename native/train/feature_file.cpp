#include "train/feature_file.h"

#include "core/folder_lock.h"

namespace crane::train {
namespace {

at::Tensor as_float(const weights::TensorView& view) {
  const auto type = view.dtype == weights::DType::f16 ? at::kHalf : at::kFloat;
  const at::Tensor mapped =
      at::from_blob(const_cast<std::byte*>(view.data), view.shape, at::TensorOptions().dtype(type));
  return mapped.to(at::kFloat, /*non_blocking=*/false, /*copy=*/true);
}

FeatureSizes sizes_of(const KeptFeatures& features) {
  FeatureSizes sizes;
  for (const auto& [name, value] : features) sizes.emplace_back(name, value.sizes().vec());
  return sizes;
}

}  // namespace

void write_feature_file(const std::string& path, const KeptFeatures& features, FeaturePrecision precision,
                        std::span<const MaskCells> masks) {
  const bool is_half = precision == FeaturePrecision::f16;
  std::vector<at::Tensor> stored;
  FeatureContent content;
  for (const auto& [name, value] : features) {
    const at::Tensor& kept =
        stored.emplace_back(value.to(at::kCPU).to(is_half ? at::kHalf : at::kFloat).contiguous());
    content.add(name, is_half ? weights::DType::f16 : weights::DType::f32, kept.sizes().vec(),
                {static_cast<const std::byte*>(kept.const_data_ptr()), kept.nbytes()});
  }
  for (const MaskCells& mask : masks) content.add(mask);
  const FolderLock lock(path);
  // Another process may have written them meanwhile, with counts of other masks.
  StoredFeatures there;
  const int64_t cells = masks.empty() ? 0 : static_cast<int64_t>(masks.front().anomalous.size());
  if (cells > 0 && check_features(path, sizes_of(features), cells).state == FeatureState::whole) {
    there = open_features(path, sizes_of(features), cells);
    content.add_others(there, masks);
  }
  content.write(path);
}

KeptFeatures as_floats(const StoredFeatures& stored) {
  KeptFeatures features;
  for (const weights::TensorView* view : stored.tensors) features.emplace_back(view->name, as_float(*view));
  return features;
}

}  // namespace crane::train
