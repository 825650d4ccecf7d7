// Blocks with random weights, and what they compute written out in plain loops over rows: nothing here calls
// the layers or the attention kernels.
#pragma once

#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>
#include <vector>

#include "layers/frozen_block.h"

namespace crane::vision::plain {

using layers::Block;

inline constexpr int64_t k_width = 128;
inline constexpr int64_t k_heads = 2;

inline Block random_block(at::ScalarType type, bool has_layer_scale) {
  const auto random = [&](at::IntArrayRef shape) {
    return at::randn(shape, at::TensorOptions().dtype(type));
  };
  const auto linear = [&](int64_t out, int64_t in) {
    return layers::Linear{random({out, in}) / std::sqrt(static_cast<double>(in)), 0.3 * random({out})};
  };
  const auto norm = [&] {
    return layers::LayerNorm{1 + 0.3 * random({k_width}), 0.3 * random({k_width}), 1e-5};
  };
  Block block;
  block.ln1 = norm();
  block.qkv = linear(3 * k_width, k_width);
  block.out = linear(k_width, k_width);
  block.ln2 = norm();
  block.fc1 = linear(4 * k_width, k_width);
  block.fc2 = linear(k_width, 4 * k_width);
  if (has_layer_scale) {
    block.ls1 = 0.5 + 0.2 * random({k_width});
    block.ls2 = 0.5 + 0.2 * random({k_width});
  }
  block.heads = k_heads;
  block.activation = layers::Activation::gelu;
  return block;
}

inline std::vector<Block> random_blocks(int64_t count, at::ScalarType type = at::kFloat,
                                        bool has_layer_scale = false) {
  std::vector<Block> blocks;
  for (int64_t i = 0; i < count; ++i) blocks.push_back(random_block(type, has_layer_scale));
  return blocks;
}

inline std::vector<layers::FrozenBlock> frozen(const std::vector<Block>& blocks) {
  std::vector<layers::FrozenBlock> result;
  for (const Block& block : blocks) result.emplace_back(block);
  return result;
}

// One sequence x [rows, width] through one LayerNorm.
inline at::Tensor normed(const layers::LayerNorm& ln, const at::Tensor& x) {
  const at::Tensor centred = x - x.mean(1, true);
  const at::Tensor variance = centred.square().mean(1, true);
  return centred / (variance + ln.eps).sqrt() * ln.weight + ln.bias;
}

struct Heads {
  at::Tensor q, k, v;  // [rows, width], head h in columns 64 h to 64 h + 63
};

inline Heads heads_of(const Block& block, const at::Tensor& x) {
  const at::Tensor u = normed(block.ln1, x).mm(block.qkv.weight.t()) + block.qkv.bias;
  return {u.slice(1, 0, k_width), u.slice(1, k_width, 2 * k_width), u.slice(1, 2 * k_width)};
}

// Row by row and head by head: softmax(a_i . b_j / 8) over j, times values.
inline at::Tensor attention(const at::Tensor& a, const at::Tensor& b, const at::Tensor& values) {
  std::vector<at::Tensor> rows;
  for (int64_t i = 0; i < a.size(0); ++i) {
    std::vector<at::Tensor> heads;
    for (int64_t h = 0; h < k_heads; ++h) {
      const int64_t from = h * 64;
      const int64_t to = from + 64;
      const at::Tensor scores = b.slice(1, from, to).mv(a[i].slice(0, from, to)) / 8;
      const at::Tensor weights = (scores - scores.max()).exp();
      heads.push_back(values.slice(1, from, to).t().mv(weights / weights.sum()));
    }
    rows.push_back(at::cat(heads));
  }
  return at::stack(rows);
}

inline at::Tensor output(const Block& block, const at::Tensor& attended) {
  const at::Tensor y = attended.mm(block.out.weight.t()) + block.out.bias;
  return block.ls1.defined() ? y * block.ls1 : y;
}

inline at::Tensor mlp(const Block& block, const at::Tensor& x) {
  const at::Tensor u = normed(block.ln2, x).mm(block.fc1.weight.t()) + block.fc1.bias;
  const at::Tensor y = (0.5 * u * (1 + (u / std::sqrt(2.0)).erf())).mm(block.fc2.weight.t()) + block.fc2.bias;
  return block.ls2.defined() ? y * block.ls2 : y;
}

// The whole block on one sequence.
inline at::Tensor forward(const Block& block, const at::Tensor& x) {
  const Heads h = heads_of(block, x);
  const at::Tensor attended = x + output(block, attention(h.q, h.k, h.v));
  return attended + mlp(block, attended);
}

inline double worst(const at::Tensor& a, const at::Tensor& b) {
  return a.sizes() == b.sizes() ? (a - b).abs().max().item<double>() : 1e30;
}

}  // namespace crane::vision::plain
