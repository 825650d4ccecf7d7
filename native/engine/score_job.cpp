#include "engine/score_job.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <utility>

#include "cuda/tensors.h"

namespace crane {

ScoreJob::ScoreJob(std::shared_ptr<const Engine::State> state, std::vector<ScoreItem> items,
                   const methods::Method& method)
    : state_(std::move(state)), items_(std::move(items)) {
  size_t views = 0;
  for (const ScoreItem& item : items_) {
    first_views_.push_back(views);
    plans_.push_back(state_->plan_of(item, method));
    views += plans_.back().views.size();
  }
  feed_ = std::make_shared<ViewFeed>(
      views, [this](size_t view) { return render(view); }, preparation_threads());
  // A GPU renders the views itself (engine_device.cpp).
  if (!cuda::has_kernels(state_->device)) feed_->start();
}

ScoreJob::~ScoreJob() { feed_->stop(); }

std::shared_ptr<const ViewCount> views_of(const ScoreJob& job) { return job.count(); }

at::Tensor ScoreJob::render(size_t view) const {
  const c10::InferenceMode guard;
  const auto after = std::upper_bound(first_views_.begin(), first_views_.end(), view);
  const auto item = static_cast<size_t>(after - first_views_.begin()) - 1;
  return state_->input_of(items_[item], plans_[item], plans_[item].views[view - first_views_[item]]);
}

}  // namespace crane
