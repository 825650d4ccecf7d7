// The file of the feature cache as bytes: opened, checked, not yet tensors. No tensor library: runs on any
// thread.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "weights/tensor_view.h"

namespace crane::train {

inline constexpr const char* k_features_format = "crane.features";
inline constexpr const char* k_features_version = "1";

// What a file must hold to fit a model and a method: tensors by name, with their shapes.
using FeatureSizes = std::vector<std::pair<std::string, std::vector<int64_t>>>;

struct StoredFeatures {
  std::shared_ptr<const weights::WeightFile> file;
  std::vector<const weights::TensorView*> tensors;  // f16 or f32, in the order of the sizes
};

// Checks everything but the values. Errors: E_TRAIN_FEATURES when it is none of ours or has other sizes, and
// those of the readers.
StoredFeatures open_features(const std::string& path, const FeatureSizes& sizes);

enum class FeatureState { whole, damaged, missing };
// Reads every byte and compares the checksums.
FeatureState check_features(const std::string& path, const FeatureSizes& sizes);

// As stored in the metadata under "crc32.NAME".
std::string features_checksum(std::span<const std::byte> bytes);

}  // namespace crane::train
