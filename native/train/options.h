// Settings and results that every training has, free of tensor headers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace crane::train {

// Adam; with weight_decay AdamW, which shrinks a parameter before it moves it.
struct AdamOptions {
  double learning_rate = 1e-3;
  double beta1 = 0.6;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0;
};

// Of one step, as they are logged; `total` is what was differentiated. A term that a method lacks is 0.
struct StepLosses {
  double focal = 0;
  double dice = 0;
  double image = 0;
  double total = 0;
};

// A caller's own tensor in the file of a saved training.
struct ExtraTensor {
  std::string name;
  bool is_integer = false;
  std::vector<double> doubles;
  std::vector<int32_t> integers;
};

}  // namespace crane::train
