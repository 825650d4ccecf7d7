// The pictures of one call of Engine::score on their way into the model's input; private to engine*.cpp.
#pragma once

#include <memory>
#include <vector>

#include "engine/engine.h"
#include "engine/state.h"
#include "engine/view_count.h"
#include "engine/view_feed.h"
#include "image/fit.h"

namespace crane {

class ScoreJob {
 public:
  // Plans every picture's views and begins to render them. state and the pictures' pixels must outlive the
  // job.
  ScoreJob(std::shared_ptr<const Engine::State> state, std::vector<ScoreItem> items,
           const methods::Method& method);
  ~ScoreJob();
  ScoreJob(const ScoreJob&) = delete;
  ScoreJob& operator=(const ScoreJob&) = delete;

  const std::vector<ScoreItem>& items() const { return items_; }
  const image::ViewPlan& plan(size_t item) const { return plans_[item]; }
  // The views of all items, in their order (ViewFeed::take).
  ViewFeed::Taken take() { return feed_->take(); }
  // Told of views that have been through the model.
  const std::shared_ptr<ViewCount>& count() const { return count_; }

 private:
  at::Tensor render(size_t view) const;

  std::shared_ptr<const Engine::State> state_;
  std::vector<ScoreItem> items_;
  std::vector<image::ViewPlan> plans_;
  std::vector<size_t> first_views_;  // of each item
  std::shared_ptr<ViewFeed> feed_;
  const std::shared_ptr<ViewCount> count_ = std::make_shared<ViewCount>();
};

}  // namespace crane
