#include "train/order.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/randperm.h>

#include "tensors/torch_headers.h"

namespace crane::train {

std::vector<int32_t> reference_order(uint64_t seed, int64_t count, int64_t epoch) {
  at::Generator generator = at::detail::createCPUGenerator(seed);
  const auto integers = at::TensorOptions().dtype(at::kLong);
  for (int64_t past = 0;; ++past) {
    at::empty({}, integers).random_(generator);
    const at::Tensor order = at::randperm(count, generator, integers);
    if (past == epoch) {
      const int64_t* first = order.const_data_ptr<int64_t>();
      return {first, first + count};
    }
    at::randperm(count, generator, integers);
  }
}

}  // namespace crane::train
