// A linear layer whose weights never change: packed once for the face that runs it (kernels/choice.h), with
// what surrounds it in a block fused where the face can: LayerNorm before, activation or residual after.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "core/precision.h"
#include "layers/activation.h"
#include "layers/linear.h"

namespace crane::kernels {
struct LinearFace;
struct LinearPanels;
struct Row;
enum class Epilogue;
}  // namespace crane::kernels

namespace crane::layers {

// Columns [from, to) of a layer's result.
struct Columns {
  int64_t from = 0;
  int64_t to = 0;
};

class HalfLinear;
class Int8Linear;

class FrozenLinear {
 public:
  FrozenLinear() = default;
  // prefix.weight, prefix.bias; scale [out] or undefined multiplies the result (LayerScale). Packed weights
  // that the loader knows are taken as they are, once one panel, packed again, proved equal.
  // before: the LayerNorm whose rows the layer multiplies, given at every call or applied by the caller; null
  // where others come. In int8 it says which values are kept as outliers.
  static FrozenLinear load(TensorLoader& loader, const std::string& prefix, const at::Tensor& scale,
                           Precision precision, const LayerNorm* before = nullptr);
  // At bfloat16 rows and weights are rounded to it before they are multiplied, at int8 they become whole
  // numbers (kernels/linear_panels.h); everything else stays float32. On a GPU other precisions than float32
  // take HalfLinear, whose results are 16 bits wide. Errors: E_MODEL_CONFIG for a layer too deep for int8.
  FrozenLinear(const Linear& plain, const at::Tensor& scale, Precision precision = Precision::float32,
               const LayerNorm* before = nullptr);
  // The same with a row "linear" of the table that the CPU can run.
  FrozenLinear(const Linear& plain, const at::Tensor& scale, const kernels::Row& face,
               const LayerNorm* before = nullptr);

  // All x are [rows, in], one after the other in memory or with a stride between rows; `norm` may be null.

  // activation(norm(x) W^T + b), [rows, out].
  at::Tensor operator()(const at::Tensor& x, const LayerNorm* norm,
                        std::optional<Activation> activation = std::nullopt) const;
  // Some columns alone, [rows, to - from].
  at::Tensor columns(const at::Tensor& x, const LayerNorm* norm, Columns which) const;
  // As [out / group, rows, group]: for instance every head's rows together.
  at::Tensor grouped(const at::Tensor& x, const LayerNorm* norm, int64_t group) const;
  // stream [rows, out] += x W^T + b, in place.
  void add_to(const at::Tensor& stream, const at::Tensor& x) const;

  int64_t in() const noexcept { return in_; }
  int64_t out() const noexcept { return out_; }

 private:
  kernels::LinearPanels job(const at::Tensor& x, const LayerNorm* norm, at::Tensor& dst) const;
  void run(const kernels::LinearPanels& job) const;
  // What packed weights are made of and for; empty where the file lies nowhere.
  std::string key_of_packed(const weights::CanonicalTensor& stored, const at::Tensor& scale,
                            const kernels::Row& face) const;
  // The packed form of the layer, where it was kept.
  at::Tensor find_packed(const TensorLoader& loader, const std::string& prefix,
                         const at::Tensor& scale) const;
  at::Tensor by_libtorch(const at::Tensor& x, const LayerNorm* norm) const;
  // Whether by_libtorch multiplies weight_ as it came.
  bool is_plain() const { return face_ == nullptr && !is_onednn_ && !rounds_ && !int8_; }

  std::shared_ptr<const HalfLinear> half_;     // null: none of a GPU's
  std::shared_ptr<const Int8Linear> int8_;     // by_libtorch in int8
  const kernels::LinearFace* face_ = nullptr;  // null: by_libtorch
  bool is_onednn_ = false;
  bool rounds_ = false;            // by_libtorch in bfloat16
  at::Tensor weight_;              // packed, oneDNN's own, or [out, in]
  at::Tensor bias_;                // [out] or, by libtorch, undefined
  at::Tensor scale_;               // [out] where it is not folded into the weights
  std::vector<int32_t> outliers_;  // of int8
  int64_t in_ = 0;
  int64_t out_ = 0;
};

}  // namespace crane::layers
