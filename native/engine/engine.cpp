// One call of the method, and inputs that come as tensors.
#include <ATen/Parallel.h>
#include <ATen/detail/CUDAHooksInterface.h>

#include <algorithm>

#include "core/cpu.h"
#include "core/error.h"
#include "core/stopwatch.h"
#include "cuda/tensors.h"
#include "engine/picture_map.h"
#include "engine/smooth_map.h"
#include "engine/state.h"
#include "methods/method.h"
#include "tensors/torch_errors.h"

namespace crane {
namespace {

std::vector<const methods::Context*> repeated(const methods::Context* context, int64_t count) {
  return std::vector<const methods::Context*>(static_cast<size_t>(count), context);
}

}  // namespace

Engine::~Engine() = default;

const EngineFacts& Engine::facts() const noexcept { return state_->facts; }

MethodFacts facts_of(const methods::Method& method) {
  const methods::Facts& own = method.facts();
  MethodFacts facts{own.parts, own.couples_pictures, own.is_recordable, own.may_be_nan};
  facts.parts.emplace_back(k_map_max);
  return facts;
}

Engine::State::Forward Engine::State::forward(const at::Tensor& images,
                                              std::vector<const methods::Context*> contexts,
                                              const ScoreOptions& options, Trace* trace) const {
  const methods::Method& method = *options.method;
  const methods::Scores scores = method.score(towers(), {images.to(device), std::move(contexts)}, trace);
  const size_t count = method.facts().parts.size();
  CRANE_CHECK_INVARIANT(scores.parts.size() == count, "method ", method.name(), " gives ",
                        scores.parts.size(), " parts and tells of ", count);
  Forward done;
  done.parts.resize(static_cast<size_t>(images.size(0)));
  for (const at::Tensor& part : scores.parts) {
    const at::Tensor host = part.to(at::kCPU, at::kDouble).contiguous();
    CRANE_CHECK_INVARIANT(host.numel() == images.size(0), "a part of ", host.numel(), " scores for ",
                          images.size(0), " pictures");
    for (size_t b = 0; b < done.parts.size(); ++b) done.parts[b].push_back(host.const_data_ptr<double>()[b]);
  }
  done.maps = scores.map;
  return done;
}

std::vector<ScoreOutcome> Engine::score_preprocessed(const float* input, InputShape shape, int64_t context,
                                                     const ScoreOptions& options, bool wants_map,
                                                     const CancelToken* cancel) {
  const c10::InferenceMode guard;
  return translate_errors([&] {
    const State& state = *state_;
    state.use_own_threads();
    state.check_size(shape.height, shape.width);
    const auto prepared = state.context_of(context);
    const at::Tensor images =
        at::from_blob(const_cast<float*>(input), {shape.batch, 3, shape.height, shape.width},
                      at::TensorOptions().dtype(at::kFloat));
    check_input(at::isfinite(images).all().item<bool>(), "E_IMAGE_NONFINITE",
                "the preprocessed input holds NaN or infinity");
    chosen_part(options);  // refused before any work
    // Alone on a CPU, some together on a GPU, all where the method couples them.
    const int64_t most = options.method->facts().couples_pictures ? shape.batch
                         : cuda::runs_batches(state.device)       ? k_views_at_once
                                                                  : 1;
    std::vector<ScoreOutcome> outcomes;
    for (int64_t from = 0; from < shape.batch; from += most) {
      if (cancel) cancel->check();
      const int64_t step = std::min(most, shape.batch - from);
      Stopwatch watch;
      const State::Forward done =
          state.forward(images.slice(0, from, from + step), repeated(prepared.get(), step), options, nullptr);
      const double forward_ms = watch.lap_ms() / static_cast<double>(step);
      for (int64_t b = 0; b < step; ++b) {
        ScoreOutcome& outcome = outcomes.emplace_back();
        PictureParts parts(options);
        parts.add(done.parts[static_cast<size_t>(b)]);
        finish(done.maps[b], parts, options, wants_map, outcome);
        outcome.forward_ms = forward_ms;
        outcome.postprocess_ms = watch.lap_ms();
      }
    }
    return outcomes;
  });
}

TracedStages Engine::trace(const float* input, InputShape shape, int64_t context,
                           const ScoreOptions& options) {
  const c10::InferenceMode guard;
  return translate_errors([&] {
    const State& state = *state_;
    state.use_own_threads();
    state.check_size(shape.height, shape.width);
    const auto prepared = state.context_of(context);
    const at::Tensor images =
        at::from_blob(const_cast<float*>(input), {shape.batch, 3, shape.height, shape.width},
                      at::TensorOptions().dtype(at::kFloat));
    Trace trace;
    const State::Forward done = state.forward(images, repeated(prepared.get(), shape.batch), options, &trace);
    for (int64_t b = 0; b < shape.batch; ++b) {
      trace.record("map_gauss", smooth_map(done.maps[b], options.sigma_px).unsqueeze(0));
    }
    return trace.to_host({"patch_raw", "patch_norm", "pixel_logits"});
  });
}

int set_compute_threads(int threads) {
  at::set_num_threads(threads > 0 ? threads : physical_cores());
  return at::get_num_threads();
}

std::vector<std::string> available_devices() {
  std::vector<std::string> names{"cpu"};
  if (at::hasCUDA()) {
    const auto count = at::detail::getCUDAHooks().deviceCount();
    for (int i = 0; i < count; ++i) names.push_back(join_text("cuda:", i));
  }
  return names;
}

}  // namespace crane
