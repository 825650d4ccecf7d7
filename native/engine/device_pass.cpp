#include "engine/device_pass.h"

#include <ATen/ops/amax.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "engine/smooth_map.h"

namespace crane {
namespace {

using Contexts = std::span<const std::shared_ptr<const methods::Context>>;
using MethodPointer = std::shared_ptr<const methods::Method>;

// Recordings keep the memory of a whole pass each.
constexpr size_t k_most_recordings = 4;
constexpr int k_runs_before_recording = 2;

PassResult run_steps(const methods::Towers& towers, const at::Tensor& input, Contexts contexts,
                     const methods::Method& method, double sigma_px) {
  std::vector<const methods::Context*> own;
  for (const auto& context : contexts) own.push_back(context.get());
  const methods::Scores scores = method.score(towers, {input, std::move(own)}, nullptr);
  PassResult result{at::stack(scores.parts, /*dim=*/1), scores.map, smooth_maps(scores.map, sigma_px), {}};
  result.largest = at::amax(result.smooth.flatten(1), /*dim=*/1);
  return result;
}

}  // namespace

struct DevicePasses::Recorded {
  std::vector<int64_t> shape;
  std::vector<std::shared_ptr<const methods::Context>> contexts;
  MethodPointer method;
  double sigma_px = 0;

  int runs = 0;
  at::Tensor input;
  PassResult result;
  std::unique_ptr<cuda::Graph> graph;  // null: not recorded yet, or not possible
};

DevicePasses::DevicePasses() {
  const char* setting = std::getenv("CRANE_CUDA_GRAPHS");
  records_ = setting != nullptr && std::string_view(setting) == "1";
}

DevicePasses::Recorded* DevicePasses::recording_of(const methods::Towers& towers, const at::Tensor& input,
                                                   Contexts contexts, const MethodPointer& method,
                                                   double sigma_px) {
  if (!records_ || !input.is_cuda() || !method->facts().is_recordable) return nullptr;
  auto found = std::find_if(recorded_.begin(), recorded_.end(), [&](const auto& each) {
    return each->shape == input.sizes() && each->method->is_same(*method) && each->sigma_px == sigma_px &&
           std::equal(contexts.begin(), contexts.end(), each->contexts.begin(), each->contexts.end());
  });
  if (found == recorded_.end()) {
    if (recorded_.size() == k_most_recordings) recorded_.erase(recorded_.begin());
    recorded_.push_back(std::make_shared<Recorded>());
    Recorded& added = *recorded_.back();
    added.shape = input.sizes().vec();
    added.contexts.assign(contexts.begin(), contexts.end());
    added.method = method;
    added.sigma_px = sigma_px;
    found = recorded_.end() - 1;
  }
  Recorded& pass = **found;
  if (pass.runs++ < k_runs_before_recording) return nullptr;
  if (pass.graph == nullptr) {
    pass.input = input.clone();
    pass.graph = cuda::record_graph(
        input.device(), [&] { pass.result = run_steps(towers, pass.input, contexts, *method, sigma_px); });
    if (pass.graph == nullptr) {
      records_ = false;
      recorded_.clear();
      return nullptr;
    }
  }
  return &pass;
}

PassResult DevicePasses::run(const methods::Towers& towers, const at::Tensor& input, Contexts contexts,
                             const MethodPointer& method, double sigma_px) {
  Recorded* pass = recording_of(towers, input, contexts, method, sigma_px);
  if (pass == nullptr) return run_steps(towers, input, contexts, *method, sigma_px);
  pass->input.copy_(input);
  pass->graph->replay();
  // The next replay writes to the same places.
  return {pass->result.parts.clone(), pass->result.sharp.clone(), pass->result.smooth.clone(),
          pass->result.largest.clone()};
}

}  // namespace crane
