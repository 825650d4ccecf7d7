// One picture's frozen features on disk, so that the towers run once per picture and not once per epoch
// (performance.md "Training"). A safetensors file: `global` [D] and `maps` [m, n, D], unit rows, in
// half or single precision, with a checksum of each.
#pragma once

#include <string>

#include "tensors/torch_headers.h"
#include "train/stored_features.h"

namespace crane::train {

enum class FeaturePrecision { f16, f32 };

struct PictureFeatures {
  at::Tensor global;  // [D]
  at::Tensor maps;    // [m, n, D]
};

// Whole or not at all. E_IO_WRITE.
void write_features(const std::string& path, const PictureFeatures& features, FeaturePrecision precision);

// Float32 copies; the file is mapped, not read. Errors: those of open_features.
PictureFeatures read_features(const std::string& path, const FeatureSizes& sizes);

}  // namespace crane::train
