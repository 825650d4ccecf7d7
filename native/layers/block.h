// The pre-norm transformer block, shared by all towers:
//   x = x + ls1 * (W_o attention(LN1 x) + b_o);  x = x + ls2 * MLP(LN2 x)      (LayerScale where the weights
//   have it)
#pragma once

#include "layers/activation.h"
#include "layers/linear.h"

namespace crane::layers {

at::Tensor activate(const at::Tensor& x, Activation activation);

// How many heads a block of this width has: `wanted`, or as many as are 64 channels wide for 0.
// Errors: E_MODEL_CONFIG when they do not divide it.
int64_t heads_of(int64_t width, int64_t wanted);

// Queries, keys and values of one block, each [B, H, N, d].
struct Projections {
  at::Tensor q;
  at::Tensor k;
  at::Tensor v;
};

struct Block {
  LayerNorm ln1;
  Linear qkv;
  Linear out;
  at::Tensor ls1;  // [width] or undefined
  LayerNorm ln2;
  Linear fc1;
  Linear fc2;
  at::Tensor ls2;  // [width] or undefined
  Activation activation = Activation::gelu;
  int64_t heads = 1;

  static Block load(TensorLoader& loader, const std::string& prefix, int64_t heads, Activation activation,
                    double eps);

  int64_t width() const { return out.weight.size(0); }
  double attention_scale() const;  // head width^-0.5

  // u [B, N, width] after LN1.
  Projections project(const at::Tensor& u) const;
  // qkv [B, N, 3 * width] as the projection leaves it.
  Projections split_heads(const at::Tensor& projected) const;
  // V alone, [B, N, width].
  at::Tensor project_values(const at::Tensor& u) const;
  // attended [B, H, N, d] -> ls1 * (W_o attended + b_o), [B, N, width]: what is added to a stream.
  at::Tensor attention_update(const at::Tensor& attended) const;
  // The same for heads already side by side, [B, N, width].
  at::Tensor output_update(const at::Tensor& joined) const;
  // ls2 * MLP(LN2 x).
  at::Tensor mlp_update(const at::Tensor& x) const;
  // The whole block.
  at::Tensor forward(const at::Tensor& x, bool causal = false) const;
};

}  // namespace crane::layers
