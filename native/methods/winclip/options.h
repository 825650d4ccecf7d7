// Settings of WinCLIP, and the numerics in which its publication and the public code part (docs/compat.md).
#pragma once

#include <cstdint>
#include <vector>

#include "methods/settings.h"

namespace crane::methods::winclip {

struct Compat {
  bool bgr = false;           // pictures that are scored have blue first; those compared with do not
  bool raw_text_mean = true;  // of sentence features as they come; off: each at length one first
  bool halved_map = true;     // without normal pictures the map is fused with itself, which halves it
  bool gallery_lag = true;    // the first window of a side is compared with the side before
  int64_t gallery_batch =
      0;  // normal pictures come in batches of so many, of which the last stays; 0: all stay
};

struct Options {
  std::vector<int64_t> window_sides{2, 3};  // in patches
  int64_t map_side = 400;                   // of the map in pixels; 0: as the model's input
  double temperature = 0.01;
  Compat compat;
};

// Errors: E_MODEL_CONFIG for a setting that is none, or a value that it cannot have.
Options parse(const Settings& settings);

}  // namespace crane::methods::winclip
