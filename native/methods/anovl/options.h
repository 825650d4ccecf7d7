// Settings of AnoVL, and the numerics in which its publication and the public code part (docs/compat.md).
#pragma once

#include <cstdint>

#include "methods/settings.h"

namespace crane::methods::anovl {

// What is learned anew for every picture before its map is made.
enum class Adapter {
  none,
  text,    // an attention over all sentences: the code's program for MVTec AD
  linear,  // a linear map: its program for VisA
};

struct Compat {
  bool raw_text_mean = true;   // of sentence features as they come; off: each at length one first
  bool carried_state = false;  // the optimiser's means and steps go on from picture to picture
  bool noise = false;          // the second copy of the patches has noise; off: it is the first
};

struct Options {
  bool augment = true;  // the score is the mean of 22 views; off: of the picture alone
  Adapter adapter = Adapter::text;
  int64_t adapter_steps = 5;
  int64_t adapter_seed = 0;  // of the adapter's first weights and the noise, the same for every picture
  double temperature = 1;
  Compat compat;
};

// Errors: E_MODEL_CONFIG for a setting that is none, or a value that it cannot have.
Options parse(const Settings& settings);

}  // namespace crane::methods::anovl
