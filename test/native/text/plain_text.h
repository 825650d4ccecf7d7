// The text tower written out in plain loops, in double, over the weights of a synthetic model.
#pragma once

#include <ATen/ops/sigmoid.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <vector>

#include "../engine/synthetic_model.h"
#include "layers/block.h"
#include "text/lazy_tower.h"

namespace crane::text::plain {

class PlainTower {
 public:
  explicit PlainTower(const SyntheticModel& model)
      : weights_(weights::canonicalise({weights::open_weights(model.config.weights[0])})) {
    layers::TensorLoader loader(weights_, at::kCPU);
    const auto read = [&](const std::string& name) { return loader.required(name).to(at::kDouble); };
    tokens_ = read("text.tokens");
    positions_ = read("text.pos");
    for (int64_t i = 0; loader.has(join_text("text.blocks.", i, ".qkv.weight")); ++i) {
      layers::Block block =
          layers::Block::load(loader, join_text("text.blocks.", i), 1, layers::Activation::quick_gelu, 1e-5);
      for (at::Tensor* tensor : {&block.ln1.weight, &block.ln1.bias, &block.qkv.weight, &block.qkv.bias,
                                 &block.out.weight, &block.out.bias, &block.ln2.weight, &block.ln2.bias,
                                 &block.fc1.weight, &block.fc1.bias, &block.fc2.weight, &block.fc2.bias}) {
        *tensor = tensor->to(at::kDouble);
      }
      blocks_.push_back(block);
    }
    final_ = {read("text.ln_final.weight"), read("text.ln_final.bias"), 1e-5};
    projection_ = read("text.proj");
  }

  const weights::CanonicalWeights& weights() const { return weights_; }
  TextTower tower() const { return TextTower::load(weights_, {}, at::kCPU); }
  int64_t width() const { return tokens_.size(1); }
  at::Tensor embedded(int64_t id) const { return tokens_[id]; }

  // rows [R, width] of one sequence without positions; row `end` is read in the end -> [D].
  at::Tensor encode_rows(at::Tensor x, int64_t end, const std::vector<at::Tensor>& deep) const {
    x = x + positions_.slice(0, 0, x.size(0));
    for (size_t b = 0; b < blocks_.size(); ++b) {
      const layers::Block& block = blocks_[b];
      if (b > 0 && b <= deep.size()) {
        x = at::cat({x.slice(0, 0, 1), deep[b - 1], x.slice(0, 1 + deep[b - 1].size(0))});
      }
      const at::Tensor qkv = normed(block.ln1, x).mm(block.qkv.weight.t()) + block.qkv.bias;
      const auto part = [&](int64_t at) { return qkv.slice(1, at * width(), (at + 1) * width()); };
      std::vector<at::Tensor> attended;
      for (int64_t i = 0; i < x.size(0); ++i) {
        const at::Tensor scores =
            part(1).slice(0, 0, i + 1).mv(part(0)[i]) / std::sqrt(static_cast<double>(width()));
        const at::Tensor shares = (scores - scores.max()).exp();
        attended.push_back(part(2).slice(0, 0, i + 1).t().mv(shares / shares.sum()));
      }
      x = x + at::stack(attended).mm(block.out.weight.t()) + block.out.bias;
      const at::Tensor u = normed(block.ln2, x).mm(block.fc1.weight.t()) + block.fc1.bias;
      x = x + (u * at::sigmoid(1.702 * u)).mm(block.fc2.weight.t()) + block.fc2.bias;
    }
    return normed(final_, x.slice(0, end, end + 1)).mm(projection_)[0];
  }

  // A sentence of ids, the largest of which ends it, with all its padding.
  at::Tensor encode(const std::vector<int64_t>& ids, const std::vector<at::Tensor>& deep = {}) const {
    std::vector<at::Tensor> rows;
    size_t end = 0;
    for (size_t i = 0; i < ids.size(); ++i) {
      rows.push_back(embedded(ids[i]));
      if (ids[i] > ids[end]) end = i;
    }
    return encode_rows(at::stack(rows), static_cast<int64_t>(end), deep);
  }

 private:
  static at::Tensor normed(const layers::LayerNorm& ln, const at::Tensor& x) {
    const at::Tensor centred = x - x.mean(1, true);
    return centred / (centred.square().mean(1, true) + ln.eps).sqrt() * ln.weight + ln.bias;
  }

  weights::CanonicalWeights weights_;
  at::Tensor tokens_;
  at::Tensor positions_;
  std::vector<layers::Block> blocks_;
  layers::LayerNorm final_;
  at::Tensor projection_;
};

inline double worst(const at::Tensor& got, const at::Tensor& wanted) {
  return (got.to(at::kDouble) - wanted).abs().max().item<double>();
}

}  // namespace crane::text::plain
