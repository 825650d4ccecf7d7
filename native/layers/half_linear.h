// A frozen linear layer in bfloat16 or half precision on a GPU: operands 16 bits, sums float32. LayerNorm
// before, activation or residual after are kernels of their own (rows_cuda.h).
#pragma once

#include <optional>

#include "core/precision.h"
#include "layers/activation.h"
#include "layers/linear.h"

namespace crane::layers {

// x as rows of 16 bits: normalised, or only rounded where `norm` is null.
at::Tensor half_rows(const at::Tensor& x, const LayerNorm* norm, at::ScalarType type);

class HalfLinear {
 public:
  // scale [out] or undefined is folded into weight and bias before they are rounded.
  HalfLinear(const Linear& plain, const at::Tensor& scale, Precision precision);

  // x [rows, in] float32 or 16 bits -> activation(norm(x) W^T + b), [rows, out], 16 bits.
  at::Tensor operator()(const at::Tensor& x, const LayerNorm* norm,
                        std::optional<Activation> activation) const;
  // Columns [from, to) alone.
  at::Tensor columns(const at::Tensor& x, const LayerNorm* norm, int64_t from, int64_t to) const;
  // stream [rows, out] float32 += x W^T + b, in place.
  void add_to(const at::Tensor& stream, const at::Tensor& x) const;

 private:
  at::Tensor weight_;  // [out, in]
  at::Tensor bias_;    // [out] or undefined
};

}  // namespace crane::layers
