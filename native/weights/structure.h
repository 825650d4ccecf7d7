// Whether tensors make up a model. Every size is read from the tensors themselves; nothing is assumed but
// that they agree with each other (method.md 1). Errors name the tensor as the user's file spells it, with
// what was found and what was expected.
#pragma once

#include <cstdint>
#include <optional>

#include "weights/name_map.h"

namespace crane::weights {

struct VisionStructure {
  int64_t width = 0;
  int64_t layers = 0;
  int64_t heads = 0;  // width / 64
  int64_t patch = 0;
  int64_t grid_side = 0;  // of the stored position table
  int64_t registers = 0;
  int64_t mlp_width = 0;
  int64_t joint_width = 0;  // of proj; without proj the width itself
  bool has_patch_bias = false;
  bool has_ln_pre = false;
  bool has_layer_scale = false;
  bool has_proj = false;
  int64_t parameters = 0;
};

// SAM's image encoder: attention in windows with relative positions, and a convolutional neck.
struct SamStructure {
  int64_t width = 0;
  int64_t layers = 0;
  int64_t heads = 0;
  int64_t patch = 0;
  int64_t grid_side = 0;
  int64_t mlp_width = 0;
  int64_t out_channels = 0;
  std::vector<int64_t> windows;  // side of each block's window; grid_side where the block sees everything
  int64_t parameters = 0;
};

struct TextStructure {
  int64_t width = 0;
  int64_t layers = 0;
  int64_t heads = 0;
  int64_t mlp_width = 0;
  int64_t context = 0;     // rows of the position table
  int64_t token_rows = 0;  // rows of the token table; the whole vocabulary unless has_token_ids
  int64_t joint_width = 0;
  bool has_token_ids = false;
  bool has_layer_scale = false;
  bool has_proj = false;
  int64_t parameters = 0;
};

// Errors: E_WEIGHTS_MISSING, E_WEIGHTS_SHAPE, E_WEIGHTS_DTYPE.
VisionStructure check_vision(const CanonicalWeights& weights);
SamStructure check_sam(const CanonicalWeights& weights);

// By any tensor that no other tower has, so that a file that lacks one of them is told of that one.
bool holds_sam(const CanonicalWeights& weights);

TextStructure check_text(const CanonicalWeights& weights);

struct Structure {
  std::optional<VisionStructure> vision;
  std::optional<SamStructure> sam;
  std::optional<TextStructure> text;
};

// Checks whatever is there, towers and checkpoints of methods (checkpoint.h): a tower counts as there when
// any of its tensors is (SAM's encoder by holds_sam). Towers must share the
// joint width when both are there. E_WEIGHTS_MISSING when there is nothing at all.
Structure check_structure(const CanonicalWeights& weights);

}  // namespace crane::weights
