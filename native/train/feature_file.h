// One picture's frozen features on disk, so that the towers run once per picture and not once per epoch. A
// safetensors file with the tensors that a method names, in half or single precision, with a checksum of
// each.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tensors/torch_headers.h"
#include "train/stored_features.h"

namespace crane::train {

enum class FeaturePrecision { f16, f32 };

using PictureFeatures = std::vector<std::pair<std::string, at::Tensor>>;

// Whole or not at all. E_IO_WRITE.
void write_features(const std::string& path, const PictureFeatures& features, FeaturePrecision precision);

// Float32 copies in the order of `sizes`; the file is mapped, not read. Errors: those of open_features.
PictureFeatures read_features(const std::string& path, const FeatureSizes& sizes);

}  // namespace crane::train
