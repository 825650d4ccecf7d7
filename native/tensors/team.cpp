#include "tensors/team.h"

#include <ATen/TensorIterator.h>

namespace crane {

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

}  // namespace crane
