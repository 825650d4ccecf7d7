// Work on one GPU that is recorded once and then replayed as a whole, without the host's time for each
// launch.
#pragma once

#include <functional>
#include <memory>

#include "tensors/torch_headers.h"

namespace crane::cuda {

class Graph {
 public:
  virtual ~Graph() = default;
  // Enqueues the recorded work on the current stream: it reads and writes the tensors of the recording.
  virtual void replay() = 0;
};

// Records what `work` enqueues on this device, which must not wait for it, nor copy from memory of the host.
// `work` has run before, so that libraries have made what they keep. Null where recording is not possible,
// and in builds without CUDA; the device then is as before.
std::unique_ptr<Graph> record_graph(at::Device device, const std::function<void()>& work);

}  // namespace crane::cuda
