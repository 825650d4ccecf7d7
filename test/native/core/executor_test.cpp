#include "core/executor.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <iterator>
#include <set>

namespace crane {
namespace {

TEST(Executor, RunsTasksInOrderOnOneThread) {
  Executor executor(1);
  std::vector<int> order;
  std::set<std::thread::id> threads;
  for (int i = 0; i < 100; ++i) {
    executor.post([&, i] {
      order.push_back(i);
      threads.insert(std::this_thread::get_id());
    });
  }
  std::promise<void> done;
  executor.post([&] { done.set_value(); });
  done.get_future().wait();
  ASSERT_EQ(order.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<size_t>(i)], i);
  EXPECT_EQ(threads.size(), 1u);
  EXPECT_EQ(threads.count(std::this_thread::get_id()), 0u);
}

TEST(Executor, FinishesWhatWasPostedBeforeItIsDestroyed) {
  std::atomic<int> ran{0};
  {
    Executor executor(3);
    for (int i = 0; i < 500; ++i) executor.post([&] { ++ran; });
  }
  EXPECT_EQ(ran.load(), 500);
}

TEST(Executor, ClosedItFinishesWhatRunsAndStartsNothingElse) {
  Executor executor(1);
  std::promise<void> started;
  std::promise<void> release;
  std::atomic<int> ran{0};
  executor.post([&] {
    started.set_value();
    release.get_future().wait();
    ++ran;
  });
  executor.post([&] { ++ran; });
  started.get_future().wait();
  std::thread closer([&] { executor.close(); });
  while (!executor.is_closed()) std::this_thread::yield();
  release.set_value();
  closer.join();
  executor.post([&] { ++ran; });
  EXPECT_EQ(ran.load(), 1);
}

#ifdef __linux__
// In a process of its own: what is shut down stays so.
TEST(ExecutorDeathTest, ShuttingDownStartsNoThread) {
  const auto count_threads = [] {
    const std::filesystem::directory_iterator threads("/proc/self/task");
    return std::distance(begin(threads), end(threads));
  };
  const auto shut_down_in_child = [&] {
    const auto before = count_threads();
    shut_down();
    compute_thread().post([] {});
    std::_Exit(count_threads() == before && has_shut_down() ? 0 : 1);
  };
  EXPECT_EXIT(shut_down_in_child(), testing::ExitedWithCode(0), "");
}
#endif

}  // namespace
}  // namespace crane
