// Scoring of pictures: see engine.h.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>

#include "core/stopwatch.h"
#include "cuda/tensors.h"
#include "engine/picture_map.h"
#include "engine/score_job.h"
#include "engine/state.h"
#include "image/normalise.h"

namespace crane {

at::Tensor Engine::State::input_of(const ScoreItem& item, const image::ViewPlan& plan,
                                   const image::View& view) const {
  std::vector<uint8_t> rgb(static_cast<size_t>(config.height * config.width * 3));
  image::render_view(item.picture, plan, view, image::mean_colour(normalisation), rgb.data());
  at::Tensor input = at::empty({1, 3, config.height, config.width}, at::TensorOptions().dtype(at::kFloat));
  image::normalise(rgb.data(), config.width, config.height, normalisation, input.data_ptr<float>());
  return input;
}

// The picture's score is that of its most anomalous view.
ScoreOutcome Engine::State::score_alone(ScoreJob& job, size_t at, const ScoreOptions& options,
                                        const CancelToken* cancel) const {
  const ScoreItem& item = job.items()[at];
  const auto context = context_of(item.context);
  PictureMap map(job.plan(at));
  ScoreOutcome outcome;
  PictureParts parts(options);
  for (size_t view = 0; view < job.plan(at).views.size(); ++view) {
    if (cancel) cancel->check();
    const ViewFeed::Taken taken = job.take();
    outcome.preprocess_ms += taken.render_ms;
    Stopwatch watch;
    const Forward done = forward(taken.input, {context.get()}, options, nullptr);
    outcome.forward_ms += watch.lap_ms();
    map.add(done.maps[0]);
    parts.add(done.parts.front());
    outcome.postprocess_ms += watch.lap_ms();
    job.count()->add(1);
  }
  Stopwatch watch;
  finish(map.take(), parts, options, item.needs_map(), outcome);
  outcome.postprocess_ms += watch.lap_ms();
  return outcome;
}

std::vector<ScoreOutcome> Engine::State::score_together(ScoreJob& job, const ScoreOptions& options,
                                                        const CancelToken* cancel) const {
  const std::vector<ScoreItem>& items = job.items();
  std::vector<ScoreOutcome> outcomes(items.size());
  std::vector<at::Tensor> inputs;
  std::vector<std::shared_ptr<const methods::Context>> owners;
  std::vector<const methods::Context*> contexts;
  for (size_t i = 0; i < items.size(); ++i) {
    owners.push_back(context_of(items[i].context));
    for (size_t view = 0; view < job.plan(i).views.size(); ++view) {
      if (cancel) cancel->check();
      ViewFeed::Taken taken = job.take();
      outcomes[i].preprocess_ms += taken.render_ms;
      inputs.push_back(std::move(taken.input));
      contexts.push_back(owners.back().get());
    }
  }
  if (inputs.empty()) return {};
  if (cancel) cancel->check();
  Stopwatch watch;
  const Forward done = forward(at::cat(inputs, /*dim=*/0), contexts, options, nullptr);
  const double forward_ms = watch.lap_ms() / static_cast<double>(inputs.size());
  job.count()->add(static_cast<int64_t>(inputs.size()));
  int64_t next = 0;
  for (size_t i = 0; i < items.size(); ++i) {
    PictureMap map(job.plan(i));
    PictureParts parts(options);
    for (size_t view = 0; view < job.plan(i).views.size(); ++view, ++next) {
      map.add(done.maps[next]);
      parts.add(done.parts[static_cast<size_t>(next)]);
      outcomes[i].forward_ms += forward_ms;
    }
    finish(map.take(), parts, options, items[i].needs_map(), outcomes[i]);
    outcomes[i].postprocess_ms = watch.lap_ms();
  }
  return outcomes;
}

std::shared_ptr<ScoreJob> Engine::begin_score(std::vector<ScoreItem> items,
                                              const ScoreOptions& options) const {
  return std::make_shared<ScoreJob>(state_, std::move(items), *options.method);
}

std::shared_ptr<Lanes> Engine::lanes(const ScoreOptions& options) const {
  return options.method->facts().couples_pictures ? nullptr : state_->lanes;
}

std::vector<ScoreOutcome> Engine::score(ScoreJob& job, const ScoreOptions& options,
                                        const CancelToken* cancel) const {
  const c10::InferenceMode guard;
  return translate_errors([&] {
    const State& state = *state_;
    state.use_own_threads();
    chosen_part(options);  // refused before any work
    if (options.method->facts().couples_pictures) return state.score_together(job, options, cancel);
    if (cuda::has_kernels(state.device)) return state.score_on_device(job, options, cancel);
    std::vector<ScoreOutcome> outcomes;
    for (size_t i = 0; i < job.items().size(); ++i) {
      if (cancel) cancel->check();
      outcomes.push_back(state.score_alone(job, i, options, cancel));
    }
    return outcomes;
  });
}

std::vector<ScoreOutcome> Engine::score(std::span<const ScoreItem> items, const ScoreOptions& options,
                                        const CancelToken* cancel) const {
  return score(*begin_score({items.begin(), items.end()}, options), options, cancel);
}

}  // namespace crane
