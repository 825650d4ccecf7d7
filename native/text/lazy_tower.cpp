#include "text/lazy_tower.h"

#include <ATen/core/grad_mode.h>

namespace crane::text {

void LazyTower::open(const weights::CanonicalWeights& weights, const TextConfig& config, at::Device device) {
  structure_ = weights::check_text(weights);
  structure_.heads = layers::heads_of(structure_.width, config.heads);
  config_ = config;
  device_ = device;
  weights_ = weights;
}

const TextTower& LazyTower::get() const {
  const std::lock_guard lock(mutex_);
  if (!tower_) {
    // Training differentiates through the tower, whoever asked for it first.
    const c10::InferenceMode inference(false);
    const at::NoGradGuard guard;
    tower_ = TextTower::load(*weights_, config_, device_);
    weights_.reset();
  }
  return *tower_;
}

}  // namespace crane::text
