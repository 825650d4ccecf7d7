// A transformer block whose weights never change: what Block computes (block.h), each linear layer packed and
// fused with its surroundings (frozen_linear.h). For the vision towers; the text tower is trained through and
// stays Block.
#pragma once

#include "layers/block.h"
#include "layers/frozen_linear.h"

namespace crane::layers {

class FrozenBlock {
 public:
  // Keeps nothing of the plain weights that it packed.
  explicit FrozenBlock(const Block& block, Precision precision = Precision::float32);
  // The same from a weight file, taking packed weights where the loader has them.
  static FrozenBlock load(TensorLoader& loader, const std::string& prefix, int64_t heads,
                          Activation activation, double eps, Precision precision);

  // Streams are float32; on a GPU in another precision what is projected and attended is 16 bits wide.

  // x [B, N, width] -> queries, keys and values of LN1(x).
  Projections project(const at::Tensor& x) const;
  // Without the LayerNorm.
  Projections project_normed(const at::Tensor& u) const;
  // The values of LN1(x) alone, [B, N, width].
  at::Tensor values(const at::Tensor& x) const;
  // stream [B, N, width] += ls1 * (W_o attended + b_o), in place. attended [B, H, N, d].
  void add_attended(const at::Tensor& stream, const at::Tensor& attended) const;
  // ls1 * (W_o joined + b_o) alone, for heads side by side, [B, N, width].
  at::Tensor output(const at::Tensor& joined) const;
  // stream += ls2 * MLP(LN2 stream), in place.
  void add_mlp(const at::Tensor& stream) const;
  // The whole block on a stream, in place.
  void forward(const at::Tensor& stream) const;

  const LayerNorm& ln1() const noexcept { return ln1_; }
  int64_t width() const noexcept { return out_.out(); }
  int64_t heads() const noexcept { return heads_; }
  double attention_scale() const;  // head width^-0.5
  // Of the products, those of the attention that forward() runs included.
  Precision precision() const noexcept { return precision_; }

 private:
  FrozenBlock() = default;
  Projections projections(const at::Tensor& x, const LayerNorm* norm) const;

  LayerNorm ln1_;
  FrozenLinear qkv_;
  FrozenLinear out_;
  LayerNorm ln2_;
  FrozenLinear fc1_;
  FrozenLinear fc2_;
  Activation activation_ = Activation::gelu;
  int64_t heads_ = 1;
  Precision precision_ = Precision::float32;
};

// attended [B, H, N, d] -> heads side by side, [B, N, H * d]; a view where the heads lie so already.
at::Tensor side_by_side(const at::Tensor& attended);

}  // namespace crane::layers
