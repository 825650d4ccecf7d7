// OpenAI's CLIP archives: a serialized TorchScript module, read as data. Its code is never looked at; the
// module tree of data.pkl gives the tensors with their dotted attribute paths, as state_dict() would name
// them.
#pragma once

#include <memory>
#include <string>

#include "weights/torch_archive.h"

namespace crane::weights {

// Scalars such as input_resolution are tensors in some archives and plain numbers in others: the former are
// listed as tensors of shape [], the latter become metadata. Truth values (training flags) are left out.
// Errors: E_WEIGHTS_PICKLE, E_WEIGHTS_CONTAINER, E_WEIGHTS_TRUNCATED, E_WEIGHTS_DTYPE, E_WEIGHTS_SHAPE.
std::shared_ptr<const WeightFile> read_torchscript(TorchArchive& archive, std::shared_ptr<const void> owner);

}  // namespace crane::weights
