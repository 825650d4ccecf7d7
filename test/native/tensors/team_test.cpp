// Work on the team, in pieces that whoever is free takes.
#include "tensors/team.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

namespace crane {
namespace {

TEST(RunInPieces, DoesEveryTaskOnce) {
  for (const int64_t tasks : {0, 1, 2, 3, 7, 16, 101}) {
    for (const int64_t piece : {-1, 0, 1, 2, 5, 200}) {
      std::vector<std::atomic<int>> done(static_cast<size_t>(tasks));
      std::atomic<int64_t> longest = 0;
      run_in_pieces(tasks, piece, [&](int64_t first, int64_t last) {
        for (int64_t task = first; task < last; ++task) ++done[static_cast<size_t>(task)];
        for (int64_t known = longest;
             last - first > known && !longest.compare_exchange_weak(known, last - first);) {
        }
      });
      for (const auto& times : done) EXPECT_EQ(times, 1) << tasks << " in pieces of " << piece;
      EXPECT_LE(longest, std::max<int64_t>(1, piece));
    }
  }
}

TEST(RunInPieces, WhatASlowThreadHasNotBegunIsTakenByTheOthers) {
  const int threads = at::get_num_threads();
  at::set_num_threads(std::max(2, threads));  // a machine with one processor takes turns
  constexpr int64_t k_tasks = 40;
  std::atomic<int64_t> done = 0;
  std::atomic<bool> is_alone = false;
  run_in_pieces(k_tasks, 1, [&](int64_t first, int64_t) {
    if (first == 0) {
      // like a thread that another program keeps from its processor: all others are done before it goes on
      const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
      while (done < k_tasks - 1 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
      is_alone = done == k_tasks - 1;
    }
    ++done;
  });
  at::set_num_threads(threads);
  EXPECT_EQ(done, k_tasks);
  EXPECT_TRUE(is_alone) << "tasks of the slow thread waited for it";
}

TEST(RunInPieces, ExceptionsComeOut) {
  EXPECT_THROW(run_in_pieces(9, 2,
                             [](int64_t first, int64_t) {
                               if (first >= 4) throw std::runtime_error("no");
                             }),
               std::runtime_error);
}

}  // namespace
}  // namespace crane
