#include "train/stored_features.h"

#include <cstdio>
#include <filesystem>
#include <vector>

#include "core/error.h"
#include "weights/zip.h"

namespace crane::train {

StoredFeatures open_features(const std::string& path, const FeatureSizes& sizes) {
  StoredFeatures stored{weights::open_weights(path)};
  const auto& metadata = stored.file->metadata();
  const auto format = metadata.find(k_features_format);
  check_input(format != metadata.end() && format->second == k_features_version, "E_TRAIN_FEATURES", path,
              ": no file of the feature cache, or one of another version");
  stored.global = stored.file->find("global");
  stored.maps = stored.file->find("maps");
  check_input(stored.global != nullptr && stored.maps != nullptr, "E_TRAIN_FEATURES", path,
              ": \"global\" or \"maps\" is missing");
  const std::vector<int64_t> expected{sizes.maps, sizes.cells, sizes.width};
  check_input(stored.maps->shape == expected && stored.global->shape == std::vector<int64_t>{sizes.width},
              "E_TRAIN_FEATURES", path, ": features of ", weights::shape_text(stored.maps->shape),
              ", expected ", weights::shape_text(expected));
  const auto is_known = [](weights::DType dtype) {
    return dtype == weights::DType::f16 || dtype == weights::DType::f32;
  };
  check_input(is_known(stored.maps->dtype) && is_known(stored.global->dtype), "E_TRAIN_FEATURES", path,
              ": features are neither f16 nor f32");
  return stored;
}

FeatureState check_features(const std::string& path, const FeatureSizes& sizes) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return FeatureState::missing;
  try {
    const StoredFeatures stored = open_features(path, sizes);
    const auto& metadata = stored.file->metadata();
    for (const weights::TensorView* view : {stored.global, stored.maps}) {
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
