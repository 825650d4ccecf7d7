#include "train/stored_features.h"

#include <cstdio>
#include <filesystem>
#include <vector>

#include "core/error.h"
#include "weights/zip.h"

namespace crane::train {

StoredFeatures open_features(const std::string& path, const FeatureSizes& sizes) {
  StoredFeatures stored;
  stored.file = weights::open_weights(path);
  const auto& metadata = stored.file->metadata();
  const auto format = metadata.find(k_features_format);
  check_input(format != metadata.end() && format->second == k_features_version, "E_TRAIN_FEATURES", path,
              ": no file of the feature cache, or one of another version");
  for (const auto& [name, expected] : sizes) {
    const weights::TensorView* view = stored.file->find(name);
    check_input(view != nullptr, "E_TRAIN_FEATURES", path, ": \"", name, "\" is missing");
    check_input(view->shape == expected, "E_TRAIN_FEATURES", path, ": features \"", name, "\" of ",
                weights::shape_text(view->shape), ", expected ", weights::shape_text(expected));
    check_input(view->dtype == weights::DType::f16 || view->dtype == weights::DType::f32, "E_TRAIN_FEATURES",
                path, ": features are neither f16 nor f32");
    stored.tensors.push_back(view);
  }
  return stored;
}

FeatureState check_features(const std::string& path, const FeatureSizes& sizes) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return FeatureState::missing;
  try {
    const StoredFeatures stored = open_features(path, sizes);
    const auto& metadata = stored.file->metadata();
    for (const weights::TensorView* view : stored.tensors) {
      const auto said = metadata.find("crc32." + view->name);
      if (said == metadata.end() || said->second != features_checksum({view->data, view->bytes()}))
        return FeatureState::damaged;
    }
    return FeatureState::whole;
  } catch (const Error& error) {
    return error.code() == "E_WEIGHTS_NOT_FOUND" ? FeatureState::missing : FeatureState::damaged;
  }
}

std::string features_checksum(std::span<const std::byte> bytes) {
  char text[9];
  std::snprintf(text, sizeof text, "%08x", weights::crc32(bytes));
  return text;
}

}  // namespace crane::train
