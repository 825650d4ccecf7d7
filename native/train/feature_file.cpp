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
  const auto stored = [&](const at::Tensor& tensor) {
    return tensor.to(at::kCPU).to(is_half ? at::kHalf : at::kFloat).contiguous();
  };
  const at::Tensor global = stored(features.global);
  const at::Tensor maps = stored(features.maps);
  const weights::DType dtype = is_half ? weights::DType::f16 : weights::DType::f32;
  weights::SafetensorsWriter writer(
      path, {{"global", dtype, global.sizes().vec()}, {"maps", dtype, maps.sizes().vec()}},
      {{k_features_format, k_features_version},
       {"crc32.global", features_checksum(bytes_of(global))},
       {"crc32.maps", features_checksum(bytes_of(maps))}});
  writer.append(0, bytes_of(global));
  writer.append(1, bytes_of(maps));
  writer.finish();
}

PictureFeatures read_features(const std::string& path, const FeatureSizes& sizes) {
  const StoredFeatures stored = open_features(path, sizes);
  return {as_float(*stored.global), as_float(*stored.maps)};
}

}  // namespace crane::train
