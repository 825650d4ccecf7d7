// Settings and results of training, free of tensor headers (method.md 7).
#pragma once

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
};

// Weighted as the reference logs them: total = focal + dice + image_weight * image.
struct StepLosses {
  double focal = 0;
  double dice = 0;
  double image = 0;
  double total = 0;
};

}  // namespace crane::train
