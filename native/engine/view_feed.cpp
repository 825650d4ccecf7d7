#include "engine/view_feed.h"

#include <utility>

#include "core/error.h"
#include "core/stopwatch.h"

namespace crane {

ViewFeed::ViewFeed(size_t count, Render render, Executor& threads)
    : count_(count), render_(std::move(render)), threads_(threads) {}

void ViewFeed::start() {
  try {
    for (size_t i = 0; i < k_ahead; ++i) post();
  } catch (...) {
    stop();  // what `render_` reads may go with the caller
    throw;
  }
}

// A task holds the feed, which outlives its stop(); what `render_` reads need not.
void ViewFeed::post() {
  threads_.post([self = shared_from_this()] { self->render_next(); });
}

void ViewFeed::render_next() {
  size_t index = 0;
  {
    const std::lock_guard lock(mutex_);
    // Views that take() rendered itself leave tasks over; they must not run further ahead.
    if (is_stopped_ || next_render_ == count_ || next_render_ - next_take_ >= k_ahead) return;
    index = next_render_++;
    ++rendering_;
  }
  Outcome outcome = render(index);
  {
    const std::lock_guard lock(mutex_);
    rendered_[index % rendered_.size()].emplace(std::move(outcome));
    --rendering_;
  }
  changed_.notify_all();
}

ViewFeed::Taken ViewFeed::take() {
  Outcome outcome;
  {
    std::unique_lock lock(mutex_);
    const size_t index = next_take_++;
    CRANE_CHECK_INVARIANT(index < count_, "view ", index, " of ", count_);
    if (next_render_ == index) {
      const bool is_more = ++next_render_ < count_;
      lock.unlock();
      if (is_more) post();
      outcome = render(index);
    } else {
      std::optional<Outcome>& place = rendered_[index % rendered_.size()];
      changed_.wait(lock, [&] { return place.has_value(); });
      outcome = std::move(*place);
      place.reset();
      const bool is_more = next_render_ < count_;
      lock.unlock();
      if (is_more) post();
    }
  }
  if (outcome.error) std::rethrow_exception(outcome.error);
  return std::move(outcome.view);
}

void ViewFeed::stop() {
  std::unique_lock lock(mutex_);
  is_stopped_ = true;
  changed_.wait(lock, [this] { return rendering_ == 0; });
  for (std::optional<Outcome>& place : rendered_) place.reset();
}

ViewFeed::Outcome ViewFeed::render(size_t index) const {
  Outcome outcome;
  try {
    Stopwatch watch;
    outcome.view.input = render_(index);
    outcome.view.render_ms = watch.lap_ms();
  } catch (...) {
    outcome.error = std::current_exception();
  }
  return outcome;
}

}  // namespace crane
