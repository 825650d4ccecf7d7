#include "text/lazy_tower.h"

#include <ATen/core/grad_mode.h>

namespace crane::text {

void LazyTower::open(const weights::CanonicalWeights& weights, layers::Activation activation,
                     double layer_norm_eps, at::Device device) {
  structure_ = weights::check_text(weights);
  activation_ = activation;
  layer_norm_eps_ = layer_norm_eps;
  device_ = device;
  weights_ = weights;
}

const TextTower& LazyTower::get() const {
  const std::lock_guard lock(mutex_);
  if (!tower_) {
    // Training differentiates through the tower, whoever asked for it first.
    const c10::InferenceMode inference(false);
    const at::NoGradGuard guard;
    tower_ = TextTower::load(*weights_, activation_, layer_norm_eps_, device_);
    weights_.reset();
  }
  return *tower_;
}

}  // namespace crane::text
