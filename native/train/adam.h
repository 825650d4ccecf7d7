// Adam and AdamW over a list of tensors, in the order of operations that torch's own optimisers have.
#pragma once

#include <vector>

#include "tensors/torch_headers.h"
#include "train/options.h"

namespace crane::train {

class Adam {
 public:
  // Running means of one tensor's gradient and of its square.
  struct Moments {
    at::Tensor first;
    at::Tensor second;
  };

  // parameters: leaves that require a gradient; the optimiser changes their values in place.
  Adam(const AdamOptions& options, std::vector<at::Tensor> parameters);

  void clear_gradients();
  // Moves every parameter that has a gradient, or, where memory is refused, none and no moment. Without
  // gradient mode.
  void step();

  // In the order of the parameters. A step makes new ones: who has these keeps them as they are.
  const std::vector<Moments>& moments() const noexcept { return moments_; }
  int64_t steps() const noexcept { return steps_; }
  // Goes on where another one was.
  void restore(std::vector<Moments> moments, int64_t steps);

 private:
  AdamOptions options_;
  std::vector<at::Tensor> parameters_;
  std::vector<Moments> moments_;
  int64_t steps_ = 0;
};

}  // namespace crane::train
