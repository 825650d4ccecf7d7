// The model's inputs of one call, rendered on other threads ahead of the forward passes that take them, so
// that the compute thread need not resize pictures between two passes.
#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "core/executor.h"
#include "tensors/torch_headers.h"

namespace crane {

class ViewFeed : public std::enable_shared_from_this<ViewFeed> {
 public:
  // Renders view `index`; thread-safe.
  using Render = std::function<at::Tensor(size_t index)>;
  // Rendered views that wait to be taken: one for each of the preparation threads.
  static constexpr size_t k_ahead = 2;

  struct Taken {
    at::Tensor input;
    double render_ms = 0;
  };

  // threads: where views are rendered; render: what they are.
  ViewFeed(size_t count, Render render, Executor& threads);

  // Begins to render the first views. Where the queue gets no memory it throws, and nothing is being
  // rendered.
  void start();
  // The views in their order, one by one, on one thread. Waits for a view that is being rendered; one that
  // nobody has begun it renders itself, so it never waits for a thread that is busy elsewhere or stopped.
  // Throws what `render` threw for this view.
  Taken take();
  // Renders nothing any more, and returns when nothing is being rendered.
  void stop();

 private:
  struct Outcome {
    Taken view;
    std::exception_ptr error;
  };

  void post();
  void render_next();
  Outcome render(size_t index) const;

  const size_t count_;
  const Render render_;
  Executor& threads_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // What is rendered but not taken: the view that take() waits for, and those ahead of it, each at its index
  // modulo their number. No map, whose memory could be refused on a thread that has nobody to tell.
  std::array<std::optional<Outcome>, k_ahead + 1> rendered_;
  size_t next_render_ = 0;
  size_t next_take_ = 0;
  int rendering_ = 0;  // on other threads
  bool is_stopped_ = false;
};

}  // namespace crane
