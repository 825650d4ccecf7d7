// What the text tower made of given texts in a file, so that they are encoded once and not at every start.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tensors/torch_headers.h"

namespace crane::text {

// The float32 tensors of these names and shapes, on the CPU; none where `path` does not hold all of them.
std::map<std::string, at::Tensor> read_kept(const std::string& path,
                                            const std::map<std::string, std::vector<int64_t>>& shapes);

// A file that cannot be written is no fault: the texts are encoded again next time.
void keep(const std::string& path, const std::map<std::string, at::Tensor>& tensors);

// The two vectors of a prompt set: [2, D] unit rows, normal and anomalous; undefined where they are not
// there.
at::Tensor read_kept_vectors(const std::string& path, int64_t joint_width);
void keep_vectors(const std::string& path, const at::Tensor& vectors);

}  // namespace crane::text
