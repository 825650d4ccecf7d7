// Settings of AnomalyCLIP with its code's defaults, and the numerics in which code and publication part.
#pragma once

#include <cstdint>
#include <vector>

#include "methods/learned_prompts.h"
#include "methods/settings.h"
#include "train/options.h"

namespace crane::methods::anomalyclip {

inline constexpr const char* k_name = "anomalyclip";

// docs/compat.md.
struct Compat {
  bool half_deep_tokens = true;     // deep tokens rounded to half in the forward pass
  bool aliased_features = false;    // every listed block shows the final v-v stream, as before April 2025
  bool cls_without_ln_post = true;  // the class feature is projected as it leaves the last block
  bool dice_rows = true;            // of a batch of one, Dice is a mean over pixel rows
  bool stored_tokens = false;       // a checkpoint's own start and end rows instead of the token table's
};

struct Options {
  int64_t e_attn_layers = 19;     // last blocks that carry the v-v stream
  std::vector<int64_t> features;  // 1-based block numbers
  double temperature = 0.07;
  Compat compat;
};

// Errors: E_MODEL_CONFIG for a setting that is none, or a value that it cannot have.
Options parse(const Settings& settings);

struct TrainingOptions {
  double focal_weight = 4;
  double dice_weight = 4;  // of both channels
  double image_weight = 1;
  double pixel_temperature = 0.07;
  double image_temperature = 0.07;
  train::AdamOptions adam{1e-3, 0.5, 0.999, 1e-8, 0};
  bool half_deep_tokens = true;
  bool dice_rows = true;
  bool stored_tokens = false;
  PromptSizes sizes;  // of new prompts
};

// What the table does not say is as in scoring. Errors: E_MODEL_CONFIG.
TrainingOptions parse_training(const Settings& settings, const Options& options);

}  // namespace crane::methods::anomalyclip
