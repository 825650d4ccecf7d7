// What pictures are compared with: prepared, held, written, asked for its own scores.
#include <mutex>

#include "core/error.h"
#include "engine/picture_map.h"
#include "engine/state.h"
#include "methods/method.h"
#include "tensors/torch_errors.h"

namespace crane {

std::shared_ptr<const methods::Context> Engine::State::prepare(const methods::Material& material,
                                                               const ScoreOptions& options) const {
  std::vector<at::Tensor> normals;
  for (const image::PictureView& picture : material.normals) {
    ScoreItem stretched;
    stretched.picture = picture;
    const image::ViewPlan plan = plan_of(stretched, *options.method);
    normals.push_back(input_of(stretched, plan, plan.views.front()).to(device));
  }
  return options.method->prepare(towers(), material, normals);
}

int64_t Engine::add_context(const methods::Material& material, const ScoreOptions& options) {
  const c10::InferenceMode guard;
  return translate_errors([&] {
    State& state = *state_;
    state.use_own_threads();
    std::vector<methods::Material> on_device(1 + state.replicas.size(), material);
    for (const auto& [part, handles] : material.handles) {
      for (const int64_t handle : handles) {
        const auto of_all = state.context_of_all(handle);
        for (size_t i = 0; i < of_all.size(); ++i) on_device[i].contexts[part].push_back(of_all[i]);
      }
    }
    // Prepared for every device before any knows the handle.
    std::vector<std::shared_ptr<const methods::Context>> prepared{state.prepare(on_device[0], options)};
    for (size_t i = 0; i < state.replicas.size(); ++i) {
      prepared.push_back(state.replicas[i]->prepare(on_device[i + 1], options));
    }
    std::unique_lock lock(state.contexts_mutex);
    const int64_t handle = state.next_handle++;
    try {
      state.contexts[handle] = prepared.front();
      for (size_t i = 0; i < state.replicas.size(); ++i)
        state.replicas[i]->contexts[handle] = prepared[i + 1];
    } catch (...) {
      lock.unlock();
      remove_context(handle);  // nobody gets it
      throw;
    }
    return handle;
  });
}

void Engine::remove_context(int64_t handle) {
  const std::lock_guard lock(state_->contexts_mutex);
  state_->contexts.erase(handle);
  for (const auto& replica : state_->replicas) replica->contexts.erase(handle);
}

void Engine::write_context(int64_t handle, const std::string& path,
                           const std::map<std::string, std::string>& metadata) const {
  const c10::InferenceMode guard;
  translate_errors([&] { state_->context_of(handle)->write(path, metadata); });
}

std::vector<methods::PatchCount> Engine::left_out(int64_t handle) const {
  return state_->context_of(handle)->left_out();
}

std::vector<ScoreOutcome> Engine::own_scores(int64_t handle, const ScoreOptions& options,
                                             const CancelToken* cancel) const {
  const c10::InferenceMode guard;
  return translate_errors([&] {
    const State& state = *state_;
    state.use_own_threads();
    chosen_part(options);  // refused before any work
    const auto context = state.context_of(handle);
    std::vector<ScoreOutcome> outcomes(static_cast<size_t>(context->own_pictures()));
    check_input(!outcomes.empty(), "E_USAGE", "this context remembers no normal pictures");
    for (size_t i = 0; i < outcomes.size(); ++i) {
      if (cancel) cancel->check();
      const methods::Scores scores =
          options.method->score_own(state.towers(), *context, static_cast<int64_t>(i));
      PictureParts parts(options);
      std::vector<double> own;
      for (const at::Tensor& part : scores.parts) own.push_back(part.to(at::kDouble).item<double>());
      parts.add(own);
      finish(scores.map[0], parts, options, /*wants_map=*/outcomes.size() == 1, outcomes[i]);
    }
    return outcomes;
  });
}

std::vector<float> Engine::text_vectors(int64_t handle) const {
  return translate_errors([&]() -> std::vector<float> {
    const at::Tensor stored = state_->context_of(handle)->text_vectors();
    if (!stored.defined()) return {};
    const at::Tensor vectors = stored.to(at::kCPU, at::kFloat).contiguous();
    return {vectors.const_data_ptr<float>(), vectors.const_data_ptr<float>() + vectors.numel()};
  });
}

TracedStages Engine::trace_context(const methods::Material& material, const ScoreOptions& options,
                                   std::span<const float> guidance) {
  const c10::InferenceMode guard;
  return translate_errors([&] {
    const State& state = *state_;
    state.use_own_threads();
    at::Tensor features;
    if (!guidance.empty()) {
      const int64_t width = state.facts.joint_width;
      check_input(static_cast<int64_t>(guidance.size()) % width == 0, "E_IMAGE_SHAPE",
                  "picture features must come in rows of ", width);
      features = at::from_blob(const_cast<float*>(guidance.data()),
                               {static_cast<int64_t>(guidance.size()) / width, width},
                               at::TensorOptions().dtype(at::kFloat))
                     .to(state.device);
    }
    Trace trace;
    options.method->trace_context(state.towers(), material, features, trace);
    return trace.to_host({});
  });
}

}  // namespace crane
