// Passes side by side: each once, in their order, as many at once as there are lanes, and nobody waits for
// ever.
#include "engine/lanes.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <latch>
#include <thread>

#include "core/executor.h"
#include "tensors/team.h"

namespace crane {
namespace {

TEST(Lanes, DoesEachJobOnceInItsOrder) {
  const auto lanes = std::make_shared<Lanes>(1);
  std::vector<int> done;
  std::promise<void> all;
  for (int i = 0; i < 100; ++i) {
    lanes->post([&, i] {
      done.push_back(i);
      if (i == 99) all.set_value();
    });
  }
  all.get_future().wait();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(done[static_cast<size_t>(i)], i);
}

// Who waits at a latch looks at it once more when he wakes: it lives as long as the last of its jobs.
struct Meeting {
  std::latch both{2};
  std::latch ended{2};
};

TEST(Lanes, RunsAsManyAtOnceAsThereAreThreads) {
  const auto lanes = std::make_shared<Lanes>(2);
  const auto meeting = std::make_shared<Meeting>();
  // Each waits for the other: one after the other they would never end.
  for (int i = 0; i < 2; ++i) {
    lanes->post([meeting] {
      meeting->both.arrive_and_wait();
      meeting->ended.count_down();
    });
  }
  meeting->ended.wait();
}

TEST(Lanes, AJobComesWhileAnotherRuns) {
  const auto lanes = std::make_shared<Lanes>(2);
  const auto meeting = std::make_shared<Meeting>();
  const auto meet = [meeting] {
    meeting->both.arrive_and_wait();
    meeting->ended.count_down();
  };
  lanes->post([lanes, meet] {
    lanes->post(meet);
    meet();
  });
  meeting->ended.wait();
}

TEST(Lanes, InsideOneWorkIsNotShared) {
  const auto lanes = std::make_shared<Lanes>(2);
  std::promise<bool> same;
  lanes->post([&] {
    const auto own = std::this_thread::get_id();
    std::atomic<bool> is_own = true;
    run_on_team(64, [&](int64_t, int64_t) { is_own = is_own && std::this_thread::get_id() == own; });
    run_in_pieces(64, 1, [&](int64_t, int64_t) { is_own = is_own && std::this_thread::get_id() == own; });
    same.set_value(is_own);
  });
  EXPECT_TRUE(same.get_future().get());
}

TEST(Lanes, LetsOtherWorkOfTheComputeThreadIn) {
  const auto lanes = std::make_shared<Lanes>(2);
  std::atomic<bool> is_over = false;
  std::atomic<int> done = 0;
  std::promise<void> last;
  std::function<void()> again = [&] {
    ++done;
    if (is_over) return last.set_value();
    lanes->post(again);
  };
  lanes->post(again);
  std::promise<int> between;
  compute_thread().post([&] { between.set_value(done); });
  EXPECT_GE(between.get_future().get(), 0);
  is_over = true;
  last.get_future().wait();
}

TEST(Lanes, HaveTheirOwnNumberOfThreads) {
  const int before = at::get_num_threads();
  const auto lanes = std::make_shared<Lanes>(2);
  std::promise<void> ended;
  lanes->post([&] { ended.set_value(); });
  ended.get_future().wait();
  std::promise<int> threads;
  compute_thread().post([&] { threads.set_value(at::get_num_threads()); });
  EXPECT_EQ(threads.get_future().get(), 2);
  EXPECT_EQ(at::get_num_threads(), before);
}

}  // namespace
}  // namespace crane
