// Settings and results of training, free of tensor headers (method.md 7).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "text/guidance.h"

namespace crane::train {

struct LossOptions {
  double focal_weight = 2.0;
  double dice_weight = 2.0;
  double image_weight = 0.2;
  double pixel_temperature = 0.07;
  double image_temperature = 0.01;
};

struct AdamOptions {
  double learning_rate = 1e-3;
  double beta1 = 0.6;
  double beta2 = 0.999;
  double eps = 1e-8;
};

struct TrainOptions {
  LossOptions loss;
  AdamOptions adam;
  text::Guidance guidance = text::Guidance::pad_suffix;
  bool half_deep_tokens = true;
  // Rows that all pictures of a batch share run once. Off: once per picture, as the reference does; then the
  // gradient of the deep tokens is rounded to half for every picture before it is added up.
  bool shared_prefix = true;
};

// Weighted as the reference logs them: total = focal + dice + image_weight * image.
struct StepLosses {
  double focal = 0;
  double dice = 0;
  double image = 0;
  double total = 0;
};

// New prompts, see fresh_prompts().
struct FreshPrompts {
  uint64_t seed = 0;
  int64_t context_rows = 0;  // of each text
  int64_t deep_blocks = 0;   // blocks with deep tokens, from the second on
  int64_t deep_tokens = 0;   // in each
  std::vector<int64_t> normal_ids;
  std::vector<int64_t> anomalous_ids;
};

// A caller's own tensor in the file of a saved training.
struct ExtraTensor {
  std::string name;
  bool is_integer = false;
  std::vector<double> doubles;
  std::vector<int32_t> integers;
};

}  // namespace crane::train
