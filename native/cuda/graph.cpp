#include "cuda/graph.h"

#ifdef CRANE_WITH_CUDA
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDAGuard.h>
#endif

namespace crane::cuda {

#ifdef CRANE_WITH_CUDA
namespace {

class RecordedGraph final : public Graph {
 public:
  void replay() override { graph.replay(); }

  at::cuda::CUDAGraph graph;
};

}  // namespace

std::unique_ptr<Graph> record_graph(at::Device device, const std::function<void()>& work) {
  const c10::cuda::OptionalCUDAGuard device_guard(device);
  c10::cuda::device_synchronize();
  auto recorded = std::make_unique<RecordedGraph>();
  // The default stream cannot be recorded.
  const c10::cuda::CUDAStreamGuard stream_guard(
      c10::cuda::getStreamFromPool(/*isHighPriority=*/false, device.index()));
  bool is_open = false;
  try {
    // Other threads may go on with their own work.
    recorded->graph.capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal);
    is_open = true;
    work();
    is_open = false;
    recorded->graph.capture_end();
  } catch (const std::exception&) {
    try {
      if (is_open) recorded->graph.capture_end();
    } catch (const std::exception&) {
      // ends the failed recording; what made it fail is why there is no graph
    }
    cudaGetLastError();
    return nullptr;
  }
  return recorded;
}
#else
std::unique_ptr<Graph> record_graph(at::Device /*device*/, const std::function<void()>& /*work*/) {
  return nullptr;
}
#endif

}  // namespace crane::cuda
