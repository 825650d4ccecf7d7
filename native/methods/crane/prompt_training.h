// Settings of learning Crane's prompts (method.md 7).
#pragma once

#include "methods/crane/options.h"
#include "train/options.h"

namespace crane::methods {

// How a map of cells becomes one of pixels in the loss of learning.
enum class Upsampling { nearest, bilinear };

struct LossOptions {
  double focal_weight = 2.0;
  double dice_weight = 2.0;
  double image_weight = 0.2;
  double pixel_temperature = 0.07;
  double image_temperature = 0.01;
  Upsampling upsampling = Upsampling::nearest;
};

struct PromptTraining {
  LossOptions loss;
  train::AdamOptions adam;
  text::Guidance guidance = text::Guidance::pad_suffix;
  // How often a step is guided: of each it is drawn anew, for all its pictures, from the seed and the number
  // of the step alone, so that a resumed training draws the same.
  double guidance_probability = 1.0;
  int64_t guidance_seed = 0;
  bool half_deep_tokens = true;
  bool stored_tokens = false;
  // Rows that all pictures of a batch share run once. Off: once per picture, as the reference does; then the
  // gradient of the deep tokens is rounded to half for every picture before it is added up.
  bool shared_prefix = true;
  // Of new prompts: rows of each text, blocks with deep tokens (from the second on), tokens in each.
  int64_t context_rows = 0;
  int64_t deep_blocks = 0;
  int64_t deep_tokens = 0;
};

// Whether the step of this number (from 0) is guided. Uniform and independent over steps.
bool is_guided_step(const PromptTraining& options, int64_t step);

// Temperature of the maps and rounding of the deep tokens are those of scoring unless the table says
// otherwise. Errors: E_MODEL_CONFIG.
PromptTraining parse_prompt_training(const Settings& settings, const CraneOptions& options);

}  // namespace crane::methods
