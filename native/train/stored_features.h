// The file of the feature cache as bytes: opened, checked, not yet tensors. No tensor library: runs on any
// thread.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "weights/tensor_view.h"

namespace crane::train {

inline constexpr const char* k_features_format = "crane.features";
inline constexpr const char* k_features_version = "1";

// What a file must hold to fit a model and a method.
struct FeatureSizes {
  int64_t maps = 0;
  int64_t cells = 0;
  int64_t width = 0;
};

struct StoredFeatures {
  std::shared_ptr<const weights::WeightFile> file;
  const weights::TensorView* global = nullptr;  // [D], f16 or f32
  const weights::TensorView* maps = nullptr;    // [m, n, D], f16 or f32
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
