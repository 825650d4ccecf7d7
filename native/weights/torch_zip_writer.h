// Writes what torch.save writes for a dictionary of tensors, so that the authors' own code loads our
// checkpoints.
#pragma once

#include <string>
#include <vector>

#include "weights/tensor_view.h"

namespace crane::weights {

// {group: {name: tensor, ...}}, for instance {"prompt_learner": {"ctx_pos": ...}}; an empty group leaves the
// outer dictionary out. Whole or not at all; equal tensors give equal bytes, whatever the path. Errors:
// E_IO_WRITE; E_INTERNAL for names that are empty, not UTF-8 or given twice, and beyond 4 GiB.
void write_torch_zip(const std::string& path, const std::string& group,
                     const std::vector<TensorView>& tensors);

}  // namespace crane::weights
