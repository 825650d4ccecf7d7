// Settings of AdaCLIP with its code's defaults, and the numerics in which code and publication part.
#pragma once

#include <cstdint>
#include <vector>

#include "methods/settings.h"
#include "train/options.h"

namespace crane::methods::adaclip {

inline constexpr const char* k_name = "adaclip";

// docs/compat.md.
struct Compat {
  bool half_deep_tokens = true;   // prompts rounded to half where they are put in
  bool unseeded_k_means = false;  // k-means begins anew by chance for every picture
  bool dice_rows = true;          // of a batch of one, Dice is a mean over pixel rows
  std::vector<int64_t>
      cluster_labels;  // instead of k-means, of the patches in descending order; empty: k-means
};

struct Options {
  std::vector<int64_t> features;  // 1-based block numbers, one head each
  double temperature = 0.01;
  bool fusion = true;  // the clusters' feature in the picture's
  int64_t clusters = 20;
  int64_t cluster_patches = 5;  // patches that are clustered, for each cluster
  int64_t cluster_seed = 0;
  Compat compat;
};

// Errors: E_MODEL_CONFIG for a setting that is none, or a value that it cannot have.
Options parse(const Settings& settings);

struct TrainingOptions {
  double focal_weight = 1;
  double dice_weight = 1;
  double image_weight = 1;
  train::AdamOptions adam{1e-2, 0.5, 0.999, 1e-8, 0.01};
  // Of new prompts.
  int64_t prompt_rows = 5;
  int64_t prompted_blocks = 4;
};

// Errors: E_MODEL_CONFIG.
TrainingOptions parse_training(const Settings& settings);

}  // namespace crane::methods::adaclip
