#include "layers/block.h"

#include <cmath>

#include "attention/plain.h"
#include "core/error.h"

namespace crane::layers {

at::Tensor activate(const at::Tensor& x, Activation activation) {
  return activation == Activation::quick_gelu ? x * at::sigmoid(1.702 * x) : at::gelu(x);
}

int64_t heads_of(int64_t width, int64_t wanted) {
  const int64_t heads = wanted > 0 ? wanted : width / 64;
  check_input(wanted >= 0 && heads > 0 && width % heads == 0, "E_MODEL_CONFIG", "model.json asks for ",
              wanted, " heads of a tower of width ", width);
  return heads;
}

Block Block::load(TensorLoader& loader, const std::string& prefix, int64_t heads, Activation activation,
                  double eps) {
  Block block;
  block.ln1 = loader.layer_norm(prefix + ".ln1", eps);
  block.qkv = loader.linear(prefix + ".qkv");
  block.out = loader.linear(prefix + ".out");
  block.ls1 = loader.optional(prefix + ".ls1");
  block.ln2 = loader.layer_norm(prefix + ".ln2", eps);
  block.fc1 = loader.linear(prefix + ".fc1");
  block.fc2 = loader.linear(prefix + ".fc2");
  block.ls2 = loader.optional(prefix + ".ls2");
  block.heads = heads;
  block.activation = activation;
  return block;
}

double Block::attention_scale() const {
  const int64_t head_width = width() / heads;
  return 1.0 / std::sqrt(static_cast<double>(head_width));
}

Projections Block::project(const at::Tensor& u) const { return split_heads(qkv(u)); }

Projections Block::split_heads(const at::Tensor& projected) const {
  const at::Tensor split = projected.view({projected.size(0), projected.size(1), 3, heads, width() / heads})
                               .permute({2, 0, 3, 1, 4});
  return {split[0], split[1], split[2]};
}

at::Tensor Block::project_values(const at::Tensor& u) const { return qkv.rows(u, 2 * width(), 3 * width()); }

at::Tensor Block::attention_update(const at::Tensor& attended) const {
  return output_update(attended.transpose(1, 2).reshape({attended.size(0), attended.size(2), width()}));
}

at::Tensor Block::output_update(const at::Tensor& joined) const {
  const at::Tensor update = out(joined);
  return ls1.defined() ? update * ls1 : update;
}

at::Tensor Block::mlp_update(const at::Tensor& x) const {
  const at::Tensor update = fc2(activate(fc1(ln2(x)), activation));
  return ls2.defined() ? update * ls2 : update;
}

at::Tensor Block::forward(const at::Tensor& x, bool causal) const {
  const Projections p = project(ln1(x));
  const at::Tensor attended =
      x + attention_update(attention::plain_attention(p.q, p.k, p.v, attention_scale(), causal));
  return attended + mlp_update(attended);
}

}  // namespace crane::layers
