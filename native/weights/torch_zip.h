// Files of torch.save (.pth, .pt): a zip whose data.pkl is a dictionary of tensors, or dictionaries of them.
#pragma once

#include <memory>
#include <string>

#include "weights/torch_archive.h"

namespace crane::weights {

// Nested dictionaries are joined with dots: {"prompt_learner": {"ctx_pos": ...}} gives
// "prompt_learner.ctx_pos". Texts and numbers become metadata; None is ignored. Tensors that lay on a GPU are
// read like any other. Errors: E_WEIGHTS_PICKLE, E_WEIGHTS_CONTAINER, E_WEIGHTS_TRUNCATED, E_WEIGHTS_DTYPE,
// E_WEIGHTS_SHAPE.
std::shared_ptr<const WeightFile> read_torch_zip(TorchArchive& archive, std::shared_ptr<const void> owner);

}  // namespace crane::weights
