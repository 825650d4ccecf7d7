// The two vectors of a prompt set in a file, so that they are encoded once and not at every start.
#pragma once

#include <string>

#include "tensors/torch_headers.h"

namespace crane::text {

// [2, D] unit rows: normal, anomalous; undefined where `path` holds no such vectors.
at::Tensor read_kept_vectors(const std::string& path, int64_t joint_width);

// A file that cannot be written is no fault: the vectors are encoded again next time.
void keep_vectors(const std::string& path, const at::Tensor& vectors);

}  // namespace crane::text
