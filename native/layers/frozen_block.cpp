#include "layers/frozen_block.h"

#include <cmath>

#include "attention/plain.h"

namespace crane::layers {
namespace {

// [B, N, width] -> [B * N, width]; one picture's rows may have a stride.
at::Tensor rows_of(const at::Tensor& x) {
  return x.size(0) == 1 ? x[0] : x.reshape({x.size(0) * x.size(1), x.size(2)});
}

// The same of what is changed in place: never a copy.
at::Tensor rows_in_place(const at::Tensor& stream) {
  return stream.size(0) == 1 ? stream[0] : stream.view({stream.size(0) * stream.size(1), stream.size(2)});
}

}  // namespace

at::Tensor side_by_side(const at::Tensor& attended) {
  return attended.transpose(1, 2).reshape(
      {attended.size(0), attended.size(2), attended.size(1) * attended.size(3)});
}

FrozenBlock::FrozenBlock(const Block& block, Precision precision)
    : ln1_(block.ln1),
      qkv_(block.qkv, {}, precision, &block.ln1),
      out_(block.out, block.ls1, precision),
      ln2_(block.ln2),
      fc1_(block.fc1, {}, precision, &block.ln2),
      fc2_(block.fc2, block.ls2, precision),
      activation_(block.activation),
      heads_(block.heads),
      precision_(precision) {}

FrozenBlock FrozenBlock::load(TensorLoader& loader, const std::string& prefix, int64_t heads,
                              Activation activation, double eps, Precision precision) {
  FrozenBlock block;
  block.ln1_ = loader.layer_norm(prefix + ".ln1", eps);
  block.qkv_ = FrozenLinear::load(loader, prefix + ".qkv", {}, precision, &block.ln1_);
  block.out_ = FrozenLinear::load(loader, prefix + ".out", loader.optional(prefix + ".ls1"), precision);
  block.ln2_ = loader.layer_norm(prefix + ".ln2", eps);
  block.fc1_ = FrozenLinear::load(loader, prefix + ".fc1", {}, precision, &block.ln2_);
  block.fc2_ = FrozenLinear::load(loader, prefix + ".fc2", loader.optional(prefix + ".ls2"), precision);
  block.activation_ = activation;
  block.heads_ = heads;
  block.precision_ = precision;
  return block;
}

double FrozenBlock::attention_scale() const {
  const int64_t head_width = width() / heads_;
  return 1.0 / std::sqrt(static_cast<double>(head_width));
}

Projections FrozenBlock::projections(const at::Tensor& x, const LayerNorm* norm) const {
  const int64_t batch = x.size(0);
  const int64_t n = x.size(1);
  const int64_t d = width() / heads_;
  const at::Tensor split = qkv_.grouped(rows_of(x), norm, d)  // [3 * H, B * N, d]
                               .view({3, heads_, batch, n, d})
                               .transpose(1, 2);
  return {split[0], split[1], split[2]};
}

Projections FrozenBlock::project(const at::Tensor& x) const { return projections(x, &ln1_); }

Projections FrozenBlock::project_normed(const at::Tensor& u) const { return projections(u, nullptr); }

at::Tensor FrozenBlock::values(const at::Tensor& x) const {
  return qkv_.columns(rows_of(x), &ln1_, {2 * width(), 3 * width()}).view({x.size(0), x.size(1), width()});
}

void FrozenBlock::add_attended(const at::Tensor& stream, const at::Tensor& attended) const {
  out_.add_to(rows_in_place(stream), rows_of(side_by_side(attended)));
}

at::Tensor FrozenBlock::output(const at::Tensor& joined) const {
  return out_(rows_of(joined), nullptr).view({joined.size(0), joined.size(1), width()});
}

void FrozenBlock::add_mlp(const at::Tensor& stream) const {
  const at::Tensor rows = rows_in_place(stream);
  fc2_.add_to(rows, fc1_(rows, &ln2_, activation_));
}

void FrozenBlock::forward(const at::Tensor& stream) const {
  const Projections x = project(stream);
  add_attended(stream,
               attention::plain_attention(x.q, x.k, x.v, attention_scale(), /*causal=*/false, precision_));
  add_mlp(stream);
}

}  // namespace crane::layers
