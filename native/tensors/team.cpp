#include "tensors/team.h"

#include <ATen/Parallel.h>
#include <ATen/TensorIterator.h>

#include <algorithm>
#include <atomic>
#include <vector>

namespace crane {
namespace {

// What is left of one thread's tasks, on a cache line of its own.
struct alignas(64) Share {
  std::atomic<int64_t> next{0};
  int64_t end = 0;
};

}  // namespace

void run_on_team(int64_t tasks, c10::function_ref<void(int64_t first, int64_t last)> work) {
  if (tasks <= 0) return;
  // One byte for every task: its address is the task's number.
  const at::Tensor numbers = at::empty({tasks}, at::TensorOptions().dtype(at::kByte));
  const auto* base = static_cast<const char*>(numbers.const_data_ptr());
  at::TensorIterator iterator = at::TensorIterator::borrowing_nullary_op(numbers);
  iterator.for_each(
      [&](char** data, const int64_t*, int64_t count, int64_t /*size of the second axis: 1*/) {
        const int64_t first = data[0] - base;
        work(first, first + count);
      },
      /*grain_size=*/1);
}

void run_in_pieces(int64_t tasks, int64_t piece, c10::function_ref<void(int64_t first, int64_t last)> work) {
  if (tasks <= 0) return;
  piece = std::max<int64_t>(1, piece);
  const int64_t threads = std::min<int64_t>(at::get_num_threads(), tasks);
  std::vector<Share> shares(static_cast<size_t>(threads));
  for (int64_t t = 0; t < threads; ++t) {
    shares[static_cast<size_t>(t)].next = tasks * t / threads;
    shares[static_cast<size_t>(t)].end = tasks * (t + 1) / threads;
  }
  run_on_team(threads, [&](int64_t first, int64_t last) {
    for (int64_t at = first * threads; at < last * threads; ++at) {
      // own share first, then those behind it
      Share& share = shares[static_cast<size_t>((at / threads + at % threads) % threads)];
      for (int64_t from = share.next.fetch_add(piece); from < share.end; from = share.next.fetch_add(piece)) {
        work(from, std::min(from + piece, share.end));
      }
    }
  });
}

}  // namespace crane
