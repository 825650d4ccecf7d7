// Threads that meet: the queue of tasks, the feed of views, results on their way to JavaScript, and the end of the process,
// with a model that only counts. For -fsanitize=thread, which sees what no lucky schedule shows.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <future>
#include <thread>

#include "../../bindings/engine/async_task.h"
#include "core/cancel.h"
#include "core/executor.h"
#include "engine/view_feed.h"
#include "stub/javascript.h"

namespace crane {
namespace {

constexpr int k_rounds = 60;

// The planted bug of these tests (CRANE_FIRE_PLANT=race): a number that several threads count without a lock.
struct Counted {
  std::atomic<int> number{0};
  int unguarded = 0;

  void count() {
    ++number;
    static const char* const planted = std::getenv("CRANE_FIRE_PLANT");
    if (planted != nullptr && std::strcmp(planted, "race") == 0) ++unguarded;
  }
};

std::vector<std::thread> each(int threads, const std::function<void()>& work) {
  std::vector<std::thread> started;
  for (int i = 0; i < threads; ++i) started.emplace_back(work);
  return started;
}
void join(std::vector<std::thread> threads) {
  for (std::thread& thread : threads) thread.join();
}

TEST(Threads, ManyPostToAQueueThatIsClosedMeanwhile) {
  for (int round = 0; round < k_rounds; ++round) {
    Counted ran;
    Executor executor(3);
    auto posters = each(3, [&] {
      for (int i = 0; i < 200; ++i) executor.post([&ran] { ran.count(); });
    });
    if (round % 2 == 0) {
      std::thread closer([&] { executor.close(); });
      std::thread watcher([&] {
        while (!executor.has_stopped()) std::this_thread::yield();
      });
      closer.join();
      watcher.join();
      join(std::move(posters));
      EXPECT_LE(ran.number.load(), 600);
    } else {
      join(std::move(posters));
      std::promise<void> last;
      executor.post([&] { last.set_value(); });
      last.get_future().wait();
    }
  }
}

at::Tensor forward(const at::Tensor& input) {
  std::vector<float> sums(1);
  for (const float value : input.values()) sums[0] += value;
  return at::Tensor(sums);
}

TEST(Threads, ViewsAreRenderedAheadOfAModelThatTakesThemOrGivesUp) {
  Executor threads(2);
  for (int round = 0; round < k_rounds; ++round) {
    const std::vector<float> picture(64, static_cast<float>(round));
    const size_t count = 24;
    const auto feed = std::make_shared<ViewFeed>(
        count,
        [&](size_t index) {
          if (round % 3 == 2 && index == 7) throw Error("E_IMAGE_SHAPE", "planted");
          std::vector<float> view(picture);
          view[0] = static_cast<float>(index);
          return at::Tensor(view);
        },
        threads);
    feed->start();
    const size_t taken = round % 2 == 0 ? count : 9;
    for (size_t index = 0; index < taken; ++index) {
      try {
        EXPECT_EQ(forward(feed->take().input).values()[0], static_cast<float>(index) + 63.0f * static_cast<float>(round));
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), "E_IMAGE_SHAPE");
      }
    }
    feed->stop();
  }
}

// What run_async does, with a completion that makes no values.
struct Task : bindings::TaskLedger::Completion {
  explicit Task(Counted& counted) : settled(counted) {}
  void arrive(Napi::Env, std::unique_ptr<Completion>) override { settled.count(); }
  Counted& settled;
};
void begin_task(bindings::TaskLedger& ledger, Napi::Env env, Executor& executor, Counted& worked, Counted& settled) {
  ledger.begin(env);
  executor.post([&ledger, &worked, task = new Task(settled)] {
    if (!ledger.is_closing()) worked.count();
    ledger.complete(std::unique_ptr<bindings::TaskLedger::Completion>(task));
  });
}

TEST(Threads, EveryTaskComesBackToItsJavaScriptThread) {
  for (int round = 0; round < k_rounds; ++round) {
    Executor executor(3);
    join(each(2, [&] {
      fire::JavaScript javascript;
      const Napi::Env env(reinterpret_cast<napi_env>(&javascript));
      bindings::TaskLedger ledger(env);
      Counted worked;
      Counted settled;
      for (int i = 0; i < 50; ++i) begin_task(ledger, env, executor, worked, settled);
      javascript.run_loop();
      EXPECT_EQ(settled.number.load(), 50);
      EXPECT_EQ(worked.number.load(), 50);
      javascript.tear_down();
    }));
  }
}

TEST(Threads, AJavaScriptThreadEndsWhileItsTasksRun) {
  for (int round = 0; round < k_rounds; ++round) {
    Counted worked;
    Counted settled;
    Executor executor(3);
    join(each(2, [&] {
      fire::JavaScript javascript;
      const Napi::Env env(reinterpret_cast<napi_env>(&javascript));
      bindings::TaskLedger ledger(env);
      for (int i = 0; i < 50; ++i) begin_task(ledger, env, executor, worked, settled);
      javascript.tear_down();
    }));
    EXPECT_EQ(settled.number.load(), 0);
  }
}

// Last, since these threads start nothing afterwards.
TEST(ThreadsAtTheEnd, TheProcessEndsWhileThreeQueuesWork) {
  Counted ran;
  std::atomic<bool> is_over{false};
  auto posters = each(3, [&] {
    while (!is_over) {
      for (Executor* executor : {&compute_thread(), &io_threads(), &preparation_threads()}) {
        executor->post([&ran] {
          try {
            for (int step = 0; step < 50; ++step) check_shutdown();
          } catch (const Error&) {
          }
          ran.count();
        });
      }
      std::this_thread::yield();
    }
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  join(each(2, [] { shut_down(); }));
  const int at_the_end = ran.number.load();
  is_over = true;
  join(std::move(posters));
  EXPECT_EQ(ran.number.load(), at_the_end);
  EXPECT_TRUE(compute_thread().has_stopped() && io_threads().has_stopped() && preparation_threads().has_stopped());
}

}  // namespace
}  // namespace crane
