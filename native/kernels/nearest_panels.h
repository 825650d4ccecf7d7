// The largest inner product of each row with the rows of a bank (methods/normals.md 2): a blocked product
// with a running maximum, so that no [count, bank_rows] matrix is ever written.
//
//   best_i = max(best_i, max_j row_i bank_j)
//
// Each product is summed in the order of the channels by one multiply-add after the other, so its bits do not
// depend on how rows, bank or work are cut into pieces.
#pragma once

#include <cstdint>

namespace crane::kernels {

struct NearestPanels {
  const float* rows = nullptr;  // [count, depth], one row after the other
  int64_t count = 0;
  int64_t depth = 0;
  const float* bank = nullptr;  // [bank_rows, depth], one row after the other
  int64_t bank_rows = 0;
  float* best = nullptr;  // [count], what was best before; -infinity at first
};

struct NearestFace {
  int64_t panel;  // rows of a task
  // Panels [first, last) against the whole bank.
  void (*run)(const NearestPanels& job, int64_t first, int64_t last);

  int64_t panels(const NearestPanels& job) const { return (job.count + panel - 1) / panel; }
};

}  // namespace crane::kernels
