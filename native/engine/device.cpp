// Scoring on one or more GPUs: whole batches of views, everything between the pictures' samples and their
// scores on the device, and one wait for each batch while the next is already under way. One thread serves
// all devices: it only enqueues, which takes a small part of the time that they compute.
#include <algorithm>
#include <deque>

#include "core/stopwatch.h"
#include "cuda/tensors.h"
#include "engine/device_input.h"
#include "engine/picture_map.h"
#include "engine/score_job.h"
#include "engine/state.h"

namespace crane {
namespace {

struct Task {
  size_t item;
  const image::View* view;
};

// What a batch under way will give.
struct Pending {
  std::span<const Task> tasks;
  PassResult pass;
  double preprocess_ms = 0;
};

class DeviceScoring {
 public:
  DeviceScoring(std::span<const ScoreItem> items, std::vector<image::ViewPlan> plans,
                const ScoreOptions& options)
      : items_(items), plans_(std::move(plans)), options_(options), outcomes_(items.size()) {
    maps_.reserve(items.size());
    for (size_t i = 0; i < items.size(); ++i) {
      maps_.emplace_back(plans_[i]);
      parts_.emplace_back(options_);
      for (const image::View& view : plans_[i].views) tasks_.push_back({i, &view});
    }
  }

  std::span<const Task> tasks() const { return tasks_; }
  DeviceView view_of(const Task& task) const {
    return {&items_[task.item].picture, &plans_[task.item], task.view};
  }
  const ScoreItem& item_of(const Task& task) const { return items_[task.item]; }

  // Waits for the batch. Items whose views are all there are finished.
  void take(const Pending& batch) {
    Stopwatch watch;
    const at::Tensor parts = batch.pass.parts.to(at::kCPU, at::kDouble).contiguous();
    const auto count = static_cast<size_t>(parts.size(1));
    const at::Tensor largest = batch.pass.largest.to(at::kCPU, at::kDouble).contiguous();
    const double share = 1.0 / static_cast<double>(batch.tasks.size());
    const double forward_ms = watch.lap_ms() * share;
    for (size_t i = 0; i < batch.tasks.size(); ++i) {
      const Task& task = batch.tasks[i];
      const auto at = static_cast<int64_t>(i);
      ScoreOutcome& outcome = outcomes_[task.item];
      outcome.preprocess_ms += batch.preprocess_ms * share;
      outcome.forward_ms += forward_ms;
      parts_[task.item].add({parts.const_data_ptr<double>() + i * count, count});
      const bool is_last = task.view == &plans_[task.item].views.back();
      if (plans_[task.item].fit == image::Fit::stretch) {
        parts_[task.item].conclude(largest.const_data_ptr<double>()[i], options_, outcome);
        outcome.map_height = batch.pass.smooth.size(1);
        outcome.map_width = batch.pass.smooth.size(2);
        if (items_[task.item].needs_map()) {
          const at::Tensor map = batch.pass.smooth[at].to(at::kCPU).contiguous();
          outcome.map.assign(map.const_data_ptr<float>(), map.const_data_ptr<float>() + map.numel());
        }
      } else {
        maps_[task.item].add(batch.pass.sharp[at]);
        if (is_last) {
          finish(maps_[task.item].take(), parts_[task.item], options_, items_[task.item].needs_map(),
                 outcome);
        }
      }
      outcome.postprocess_ms += watch.lap_ms();
    }
  }

  std::vector<ScoreOutcome> outcomes() && { return std::move(outcomes_); }

 private:
  std::span<const ScoreItem> items_;
  std::vector<image::ViewPlan> plans_;
  const ScoreOptions& options_;
  std::vector<Task> tasks_;
  std::vector<PictureMap> maps_;
  std::vector<PictureParts> parts_;
  std::vector<ScoreOutcome> outcomes_;
};

}  // namespace

std::vector<ScoreOutcome> Engine::State::score_on_device(const ScoreJob& job, const ScoreOptions& options,
                                                         const CancelToken* cancel) const {
  const std::vector<ScoreItem>& items = job.items();
  std::vector<const State*> workers{this};
  for (const auto& replica : replicas) workers.push_back(replica.get());
  std::vector<image::ViewPlan> plans;
  // [item][worker]
  std::vector<std::vector<std::shared_ptr<const methods::Context>>> owners;
  for (const ScoreItem& item : items) {
    plans.push_back(plan_of(item, *options.method));
    owners.push_back(context_of_all(item.context));
  }
  DeviceScoring scoring(items, std::move(plans), options);
  const size_t count = scoring.tasks().size();
  // Few views are shared out evenly; each device has at most the batch that it computes and one that waits.
  const size_t share = (count + workers.size() - 1) / workers.size();
  const size_t step = std::clamp<size_t>(share, 1, static_cast<size_t>(k_views_at_once));
  std::deque<Pending> under_way;
  const auto take_first = [&] {
    scoring.take(under_way.front());
    job.count()->add(static_cast<int64_t>(under_way.front().tasks.size()));
    under_way.pop_front();
  };
  size_t number = 0;
  for (size_t from = 0; from < count; from += step, ++number) {
    if (cancel) cancel->check();
    const size_t which = number % workers.size();
    const State& worker = *workers[which];
    Pending batch;
    batch.tasks = scoring.tasks().subspan(from, std::min(step, count - from));
    Stopwatch watch;
    std::vector<DeviceView> views;
    std::vector<std::shared_ptr<const methods::Context>> contexts;
    for (const Task& task : batch.tasks) {
      views.push_back(scoring.view_of(task));
      contexts.push_back(owners[task.item][which]);
    }
    const at::Tensor input = device_input(views, normalisation, config.height, config.width, worker.device);
    batch.preprocess_ms = watch.lap_ms();
    batch.pass = worker.passes.run(worker.towers(), input, contexts, options.method, options.sigma_px);
    under_way.push_back(std::move(batch));
    if (under_way.size() == 2 * workers.size()) take_first();
  }
  while (!under_way.empty()) take_first();
  return std::move(scoring).outcomes();
}

}  // namespace crane
