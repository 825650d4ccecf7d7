// One picture's frozen features on disk, so that the towers run once per picture and not once per epoch. A
// safetensors file with the tensors that a method names, in half or single precision, and the anomalous
// pixels per cell of the picture's masks, with a checksum of each.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tensors/torch_headers.h"
#include "train/stored_features.h"

namespace crane::train {

enum class FeaturePrecision { f16, f32 };

using KeptFeatures = std::vector<std::pair<std::string, at::Tensor>>;

// Whole or not at all; counts of other masks that a whole file of the same features has are kept where
// `masks` has any. E_IO_WRITE.
void write_feature_file(const std::string& path, const KeptFeatures& features, FeaturePrecision precision,
                        std::span<const MaskCells> masks);

// Float32 copies of the features; the file is mapped, not read.
KeptFeatures as_floats(const StoredFeatures& stored);

}  // namespace crane::train
