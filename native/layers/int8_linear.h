// What a linear layer in int8 is defined to compute (kernels/linear_panels.h), in libtorch's operators, and
// which values of its rows stay as they are.
#pragma once

#include <cstdint>
#include <vector>

#include "layers/linear.h"

namespace crane::layers {

constexpr int64_t k_most_outliers = 16;

// Places in the rows that come out of `norm`, ascending, whose values LayerNorm's own weights make the
// largest: by |shift| + 3 |scale|, of equal ones the first. None for rows too narrow to spare them.
std::vector<int32_t> outliers_behind(const LayerNorm& norm);

class Int8Linear {
 public:
  // weight [out, in]; bias [out] or undefined.
  Int8Linear(const at::Tensor& weight, const at::Tensor& bias, std::vector<int32_t> outliers);

  // u [rows, in] as it enters the product -> [rows, out].
  at::Tensor operator()(const at::Tensor& u) const;

 private:
  at::Tensor steps_;   // [out]
  at::Tensor whole_;   // [out, in], whole numbers as floats
  at::Tensor sums_;    // [out] of them
  at::Tensor kept_;    // [outliers, out], the weights of the outliers
  at::Tensor bias_;    // [out] or undefined
  at::Tensor places_;  // [outliers]
};

}  // namespace crane::layers
