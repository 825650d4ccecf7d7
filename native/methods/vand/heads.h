// VAND's learned part: one linear layer a level, from the vision tower's width into the joint space, as
// tensors and as a file: {"trainable_linearlayer": {fc.0.weight [D, w], fc.0.bias [D], ...}}.
#pragma once

#include <map>
#include <string>

#include "methods/method.h"
#include "train/saved_training.h"
#include "weights/checkpoint.h"

namespace crane::methods::vand {

// As names in the file and tensors: fc.0.weight, fc.0.bias, fc.1.weight, ...
using Heads = train::Parameters;

extern const weights::CheckpointKind k_heads_checkpoint;

// What the heads must fit.
struct HeadSizes {
  int64_t levels = 0;
  int64_t width = 0;  // of the vision tower
  int64_t joint = 0;
};

// Errors: E_WEIGHTS_* of the readers, also for the file of another system; E_PROMPTS where it has other
// sizes.
Heads load_heads(const std::string& path, const HeadSizes& sizes, at::Device device);
// Entries drawn evenly from [-1 / sqrt(w), 1 / sqrt(w)], as a new linear layer of the authors' has them.
Heads fresh_heads(uint64_t seed, const HeadSizes& sizes, at::Device device);

// Whole or not at all. E_IO_WRITE.
void write_heads(const std::string& path, const Heads& heads, CheckpointFormat format,
                 const std::map<std::string, std::string>& metadata);

}  // namespace crane::methods::vand
