// The file of the feature cache as bytes: opened, checked, given the counts of another mask; not yet tensors.
// No tensor library: runs on any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "train/cells.h"
#include "weights/safetensors.h"
#include "weights/tensor_view.h"

namespace crane::train {

inline constexpr const char* k_features_format = "crane.features";
// 2: counts of masks stand beside the features. 1, as 0.1.0 wrote it: features alone.
inline constexpr const char* k_features_version = "2";
inline constexpr const char* k_features_version_before = "1";

// What a file must hold to fit a model and a method: tensors by name, with their shapes.
using FeatureSizes = std::vector<std::pair<std::string, std::vector<int64_t>>>;

// Tensors of a file: counts of the mask NAME are "cells.NAME" (i32, [cells]).
std::string cells_tensor(std::string_view name);

struct StoredFeatures {
  std::shared_ptr<const weights::WeightFile> file;
  std::vector<const weights::TensorView*> tensors;  // f16 or f32, in the order of the sizes
  std::vector<const weights::TensorView*> cells;    // of every mask, in the file's order
  bool is_of_before = false;                        // of the version before: has no counts
};

// Checks everything but the values. cells: of a mask. Errors: E_TRAIN_FEATURES when it is none of ours or has
// other sizes, and those of the readers.
StoredFeatures open_features(const std::string& path, const FeatureSizes& sizes, int64_t cells);

// Errors: E_TRAIN_FEATURES where the file has no counts of that mask.
std::vector<uint32_t> cells_of(const StoredFeatures& stored, const std::string& name);

enum class FeatureState { whole, of_before, damaged, missing };
struct FeatureCheck {
  FeatureState state = FeatureState::missing;
  // Masks whose counts the file has, each with its anomalous pixels in sum; none unless it is whole.
  std::map<std::string, uint64_t> masks;
};
// Reads every byte and compares the checksums.
FeatureCheck check_features(const std::string& path, const FeatureSizes& sizes, int64_t cells);

// The same features with the counts of these masks too, in today's version; others are kept, also those that
// another process adds at the same time. Whole or not at all. Errors: E_TRAIN_FEATURES, E_IO_WRITE.
void add_cells(const std::string& path, const FeatureSizes& sizes, int64_t cells,
               std::span<const MaskCells> masks);

// What both writers put into a file; `bytes` must live as long.
struct FeatureContent {
  std::vector<weights::SafetensorsEntry> entries;
  std::vector<std::span<const std::byte>> bytes;  // of each entry

  void add(std::string name, weights::DType dtype, std::vector<int64_t> shape,
           std::span<const std::byte> data);
  void add(const MaskCells& mask);
  // The counts that a file has of masks other than these.
  void add_others(const StoredFeatures& stored, std::span<const MaskCells> masks);
  // Whole or not at all. E_IO_WRITE.
  void write(const std::string& path) const;
};

}  // namespace crane::train
