#include "vision/sam.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/constant_pad_nd.h>

#include "attention/relative.h"
#include "core/cancel.h"
#include "core/error.h"
#include "weights/structure.h"

namespace crane::vision {
namespace {

// table [2s - 1, d], one row per distance -> [s, s, d] by query and key.
at::Tensor by_query_and_key(const at::Tensor& table) {
  const int64_t s = (table.size(0) + 1) / 2;
  const at::Tensor index = at::arange(s, table.options().dtype(at::kLong));
  return table.index_select(0, (index.unsqueeze(1) - index.unsqueeze(0) + (s - 1)).flatten())
      .view({s, s, -1});
}

// [B, h, w, C] -> [B * windows, s * s, C]; the grid is filled up with zeros to whole windows.
at::Tensor to_windows(const at::Tensor& x, int64_t s) {
  const int64_t rows = (x.size(1) + s - 1) / s;
  const int64_t columns = (x.size(2) + s - 1) / s;
  const at::Tensor filled =
      at::constant_pad_nd(x, {0, 0, 0, columns * s - x.size(2), 0, rows * s - x.size(1)}, 0);
  return filled.view({x.size(0), rows, s, columns, s, x.size(3)})
      .transpose(2, 3)
      .reshape({-1, s * s, x.size(3)});
}

at::Tensor from_windows(const at::Tensor& windows, int64_t s, at::IntArrayRef grid) {
  const int64_t rows = (grid[1] + s - 1) / s;
  const int64_t columns = (grid[2] + s - 1) / s;
  return windows.view({grid[0], rows, columns, s, s, grid[3]})
      .transpose(2, 3)
      .reshape({grid[0], rows * s, columns * s, grid[3]})
      .slice(1, 0, grid[1])
      .slice(2, 0, grid[2]);
}

}  // namespace

SamEncoder SamEncoder::load(const weights::CanonicalWeights& weights, const TowerConfig& config,
                            at::Device device, layers::PackedWeights* packed) {
  const weights::SamStructure structure = weights::check_sam(weights);
  layers::TensorLoader loader(weights, device, packed);
  SamEncoder encoder;
  encoder.config_ = config;
  encoder.side_ = structure.grid_side;
  encoder.patch_weight_ = loader.required("visual.patch.weight");
  encoder.patch_bias_ = loader.required("visual.patch.bias");
  encoder.positions_ = loader.required("visual.pos_grid");
  for (int64_t i = 0; i < structure.layers; ++i) {
    const std::string name = join_text("visual.blocks.", i);
    encoder.blocks_.push_back({layers::FrozenBlock::load(loader, name, structure.heads, config.activation,
                                                         config.layer_norm_eps, config.precision),
                               structure.windows[static_cast<size_t>(i)],
                               by_query_and_key(loader.required(name + ".rel_pos_h")),
                               by_query_and_key(loader.required(name + ".rel_pos_w"))});
  }
  encoder.reduce_ = loader.required("visual.neck.reduce");
  encoder.neck_ln1_ = loader.layer_norm("visual.neck.ln1", config.layer_norm_eps);
  encoder.mix_ = loader.required("visual.neck.mix");
  encoder.neck_ln2_ = loader.layer_norm("visual.neck.ln2", config.layer_norm_eps);
  encoder.parameters_ = loader.parameters();
  return encoder;
}

at::Tensor SamEncoder::forward(const WindowBlock& block, const at::Tensor& x) const {
  // Windows are made after LN1, so the zeros that fill them up are not normalised.
  const at::Tensor windows = to_windows(block.plain.ln1()(x), block.window);
  const layers::Projections p = block.plain.project_normed(windows);
  const at::Tensor attended =
      attention::relative_attention(p.q, p.k, p.v, block.plain.attention_scale(), block.rows, block.columns);
  const at::Tensor update = block.plain.output(layers::side_by_side(attended));
  const at::Tensor after = (x + from_windows(update, block.window, x.sizes())).contiguous();
  block.plain.add_mlp(after.view({1, -1, after.size(3)}));
  return after;
}

at::Tensor SamEncoder::patch_features(const at::Tensor& image, Trace* trace) const {
  const int64_t pixels = side_ * patch_weight_.size(2);
  const at::Tensor resized = at::upsample_bilinear2d(image, {pixels, pixels}, /*align_corners=*/false);
  at::Tensor x = at::conv2d(resized, patch_weight_, patch_bias_, /*stride=*/patch_weight_.size(2))
                     .permute({0, 2, 3, 1}) +
                 positions_;  // [B, side, side, width]
  if (trace) trace->record("stage.vfm.tokens", x.flatten(1, 2));
  for (size_t i = 0; i < blocks_.size(); ++i) {
    check_shutdown();
    x = forward(blocks_[i], x);
    if (trace) trace->record(join_text("stage.vfm.block", i + 1 < 10 ? "0" : "", i + 1), x.flatten(1, 2));
  }
  // The neck's norms run over channels.
  const auto norm = [](const layers::LayerNorm& ln, const at::Tensor& planes) {
    return ln(planes.permute({0, 2, 3, 1}));
  };
  const at::Tensor reduced = norm(neck_ln1_, at::conv2d(x.permute({0, 3, 1, 2}), reduce_));
  const at::Tensor mixed =
      norm(neck_ln2_, at::conv2d(reduced.permute({0, 3, 1, 2}), mix_, {}, /*stride=*/1, /*padding=*/1));
  return mixed.flatten(1, 2);
}

}  // namespace crane::vision
