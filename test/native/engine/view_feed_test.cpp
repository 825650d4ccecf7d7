#include "engine/view_feed.h"

#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "core/error.h"

namespace crane {
namespace {

at::Tensor numbered(size_t index) { return at::full({1}, static_cast<double>(index)); }

void drain(Executor& threads, int count) {
  std::vector<std::promise<void>> done(static_cast<size_t>(count));
  for (auto& promise : done) threads.post([&promise] { promise.set_value(); });
  for (auto& promise : done) promise.get_future().wait();
}

TEST(ViewFeed, GivesEveryViewOnceInItsOrder) {
  Executor threads(2);
  std::atomic<int> rendered{0};
  const auto feed = std::make_shared<ViewFeed>(
      50,
      [&](size_t index) {
        ++rendered;
        // The first one to begin is not the first one to end.
        if (index % 2 == 0) std::this_thread::sleep_for(std::chrono::microseconds(300));
        return numbered(index);
      },
      threads);
  feed->start();
  for (int i = 0; i < 50; ++i) EXPECT_EQ(feed->take().input.item<float>(), static_cast<float>(i));
  feed->stop();
  EXPECT_EQ(rendered.load(), 50);
}

TEST(ViewFeed, RunsAheadByNoMoreThanItsLimit) {
  Executor threads(2);
  std::atomic<size_t> rendered{0};
  const auto feed = std::make_shared<ViewFeed>(
      20,
      [&](size_t index) {
        ++rendered;
        return numbered(index);
      },
      threads);
  feed->start();
  for (size_t taken = 0; taken < 20; ++taken) {
    drain(threads, 8);
    EXPECT_LE(rendered.load(), taken + ViewFeed::k_ahead);
    EXPECT_GE(rendered.load(), std::min<size_t>(20, taken + 1));
    feed->take();
  }
  feed->stop();
}

// Views that the caller rendered itself leave tasks over.
TEST(ViewFeed, RunsNoFurtherAheadOnceBusyThreadsAreFree) {
  Executor threads(1);
  std::promise<void> release;
  threads.post([&] { release.get_future().wait(); });
  std::atomic<size_t> rendered{0};
  const auto feed = std::make_shared<ViewFeed>(
      20,
      [&](size_t index) {
        ++rendered;
        return numbered(index);
      },
      threads);
  feed->start();
  for (int i = 0; i < 6; ++i) feed->take();
  release.set_value();
  drain(threads, 1);
  EXPECT_EQ(rendered.load(), 6 + ViewFeed::k_ahead);
  feed->stop();
}

TEST(ViewFeed, DoesNotWaitForThreadsThatAreBusyElsewhere) {
  Executor threads(1);
  std::promise<void> release;
  threads.post([&] { release.get_future().wait(); });
  const auto feed = std::make_shared<ViewFeed>(3, numbered, threads);
  feed->start();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(feed->take().input.item<float>(), static_cast<float>(i));
  release.set_value();
  drain(threads, 1);
  feed->stop();
}

TEST(ViewFeed, AFaultIsToldWhereItsViewIsTaken) {
  Executor threads(2);
  const auto feed = std::make_shared<ViewFeed>(
      4,
      [](size_t index) {
        if (index == 2) throw Error("E_IMAGE_SHAPE", "no picture");
        return numbered(index);
      },
      threads);
  feed->start();
  feed->take();
  feed->take();
  EXPECT_THROW(feed->take(), Error);
  EXPECT_EQ(feed->take().input.item<float>(), 3.0F);
  feed->stop();
}

TEST(ViewFeed, StoppedItTouchesNothingAnyMore) {
  Executor threads(2);
  std::atomic<bool> may_render{true};
  std::atomic<int> late{0};
  for (int round = 0; round < 100; ++round) {
    may_render = true;
    const auto feed = std::make_shared<ViewFeed>(
        8,
        [&](size_t index) {
          std::this_thread::sleep_for(std::chrono::microseconds(50));
          if (!may_render) ++late;
          return numbered(index);
        },
        threads);
    feed->start();
    if (round % 2 == 0) feed->take();
    feed->stop();
    may_render = false;
    drain(threads, 2);
  }
  EXPECT_EQ(late.load(), 0);
}

}  // namespace
}  // namespace crane
