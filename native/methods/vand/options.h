// Settings of VAND (APRIL-GAN) with its code's defaults, and the numerics in which code and publication part.
#pragma once

#include <cstdint>
#include <vector>

#include "methods/settings.h"
#include "train/options.h"

namespace crane::methods::vand {

inline constexpr const char* k_name = "vand";

// docs/compat.md.
struct Compat {
  bool class_min_max =
      false;              // with normal pictures: the map's maximum is scaled over the pictures of a call
  bool dice_rows = true;  // of a batch of one, Dice is a mean over pixel rows
};

struct Options {
  std::vector<int64_t> features;  // 1-based block numbers, one head each
  double temperature = 0.01;
  Compat compat;
};

// Errors: E_MODEL_CONFIG for a setting that is none, or a value that it cannot have.
Options parse(const Settings& settings);

struct TrainingOptions {
  double focal_weight = 1;
  double dice_weight = 1;
  double temperature = 0.01;
  train::AdamOptions adam{1e-3, 0.5, 0.999, 1e-8, 0};
  bool dice_rows = true;
};

// What the table does not say is as in scoring. Errors: E_MODEL_CONFIG.
TrainingOptions parse_training(const Settings& settings, const Options& options);

}  // namespace crane::methods::vand
