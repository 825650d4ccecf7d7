// Weights of any known naming and container as one safetensors file with the canonical names of name_map.h.
#pragma once

#include <map>
#include <string>

#include "weights/name_map.h"

namespace crane::weights {

// Floating tensors are written as `dtype` (f32 or f16, rounded to nearest), whole numbers as i32. Whole or
// not at all. Errors: those of check_structure for what is no whole tower or checkpoint; E_USAGE for another
// dtype; E_WEIGHTS_DTYPE; E_WEIGHTS_NONFINITE, also for a value that f16 cannot hold; E_IO_WRITE.
void convert_weights(const CanonicalWeights& weights, const std::string& output, DType dtype,
                     const std::map<std::string, std::string>& metadata);

// Every promise of a file at once: its checksums, known names, sizes that fit together, finite values.
// Errors: those of WeightFile::verify_checksums, canonicalise, check_structure and read_f32.
void verify_weights(const std::shared_ptr<const WeightFile>& file);

}  // namespace crane::weights
