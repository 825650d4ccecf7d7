// One forward pass of a batch on a GPU, with what follows on the device.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "cuda/graph.h"
#include "methods/method.h"

namespace crane {

struct PassResult {
  at::Tensor parts;    // [B, parts]: of the method's score
  at::Tensor sharp;    // [B, H, W]
  at::Tensor smooth;   // [B, H, W]
  at::Tensor largest;  // [B]: of smooth
};

// The passes of one engine on one device. With CRANE_CUDA_GRAPHS=1 a pass that comes for the third time (same
// batch, settings and contexts) is recorded and replayed from then on; where that fails, passes run as
// before.
class DevicePasses {
 public:
  DevicePasses();

  // input [B, 3, H, W]; one context a picture, kept alive while it may be replayed.
  PassResult run(const methods::Towers& towers, const at::Tensor& input,
                 std::span<const std::shared_ptr<const methods::Context>> contexts,
                 const std::shared_ptr<const methods::Method>& method, double sigma_px);

 private:
  struct Recorded;

  // The pass' recording, or null where it runs step by step.
  Recorded* recording_of(const methods::Towers& towers, const at::Tensor& input,
                         std::span<const std::shared_ptr<const methods::Context>> contexts,
                         const std::shared_ptr<const methods::Method>& method, double sigma_px);

  bool records_;
  std::vector<std::shared_ptr<Recorded>> recorded_;
};

}  // namespace crane
