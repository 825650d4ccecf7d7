// Tensors that one optimiser learns, under the names of their checkpoint: what every learner is built on.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "train/adam.h"
#include "train/saved_training.h"

namespace crane::train {

class Learned {
 public:
  // Copies of `start` as leaves that ask for a gradient, in its order.
  Learned(const AdamOptions& options, const Parameters& start);

  // Goes on where `saved` was, with its values. Errors: E_TRAIN_RESUME where a tensor is missing or has
  // another shape.
  void restore(const SavedTraining& saved);

  // Errors: E_INTERNAL for a name that is none.
  const at::Tensor& at(const std::string& name) const;
  const Parameters& parameters() const noexcept { return parameters_; }
  // Of the last step, undefined where a tensor had none.
  Parameters gradients() const;

  // Before a step's forward pass.
  void clear_gradients() { adam_.clear_gradients(); }
  // Differentiates losses' total, which is `losses.total`, and moves every tensor that it depends on.
  // Errors: E_TRAIN_DIVERGED when the loss or a gradient is not finite; nothing is changed then.
  void descend(const at::Tensor& total, const StepLosses& losses);

  void save(const std::string& path, const Parameters& own, const std::vector<ExtraTensor>& extra,
            const std::map<std::string, std::string>& metadata) const;

 private:
  Parameters parameters_;
  Adam adam_;
};

}  // namespace crane::train
