// What turns features into scores. A method is one folder here; the engine names the one it runs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tensors/trace.h"
#include "text/lazy_tower.h"
#include "vision/tower.h"

namespace crane::methods {

// The towers an engine holds; `source` is null without a spatial source.
struct Towers {
  const vision::Tower* vision = nullptr;
  const text::LazyTower* text = nullptr;
  const vision::SpatialSource* source = nullptr;
};

// A prompt set with its two unguided vectors, encoded once.
struct EncodedPrompts {
  text::PromptSet prompts;
  at::Tensor features;  // [2, D] unit rows: normal, anomalous
};

struct MethodInput {
  at::Tensor image;                            // [B, 3, H, W] normalised for the vision tower
  std::vector<const EncodedPrompts*> prompts;  // one per picture
};

struct Scores {
  at::Tensor fused;  // [B] image scores from the global feature (with fusion where it is on)
  at::Tensor map;    // [B, H, W] probability of an anomaly per pixel, before smoothing
};

class Method {
 public:
  virtual ~Method() = default;
  virtual Scores score(const Towers& towers, const MethodInput& input, Trace* trace) const = 0;
};

}  // namespace crane::methods
