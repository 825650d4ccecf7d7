// The text tower, read when something is encoded for the first time: scoring with texts that were encoded
// before (Engine::add_prompts) never needs it, and it is a third of CLIP's weights.
#pragma once

#include <mutex>
#include <optional>

#include "text/tower.h"
#include "weights/structure.h"

namespace crane::text {

class LazyTower {
 public:
  // Checks the structure only. Errors: those of weights::check_text, E_MODEL_CONFIG.
  void open(const weights::CanonicalWeights& weights, const TextConfig& config, at::Device device);

  const weights::TextStructure& structure() const noexcept { return structure_; }
  at::Device device() const noexcept { return device_; }

  // Errors on the first call: E_WEIGHTS_NONFINITE, E_WEIGHTS_DTYPE.
  const TextTower& get() const;

 private:
  weights::TextStructure structure_;
  TextConfig config_;
  at::Device device_{at::kCPU};
  mutable std::mutex mutex_;
  mutable std::optional<weights::CanonicalWeights> weights_;  // until it was read
  mutable std::optional<TextTower> tower_;
};

}  // namespace crane::text
