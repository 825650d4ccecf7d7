#include "vision/tower.h"

#include <cmath>

#include "core/error.h"
#include "cuda/tensors.h"

namespace crane::vision {
namespace {

using Kind = PositionInterpolation::Kind;

// rows [side*side, C] -> [grid.count, C].
at::Tensor resize_positions(const at::Tensor& rows, int64_t side, Grid grid,
                            const PositionInterpolation& how) {
  const at::Tensor planes = rows.view({1, side, side, -1}).permute({0, 3, 1, 2});
  const std::array<int64_t, 2> size{grid.height, grid.width};
  at::Tensor resized;
  if (how.offset != 0.0) {
    // The scale, not the size, is handed to the resampler: it decides where samples fall.
    const std::array<double, 2> scale{
        (static_cast<double>(grid.height) + how.offset) / static_cast<double>(side),
        (static_cast<double>(grid.width) + how.offset) / static_cast<double>(side)};
    switch (how.kind) {
      case Kind::none:
        break;
      case Kind::bilinear:
        resized = at::upsample_bilinear2d(planes, std::nullopt, false, scale);
        break;
      case Kind::bicubic:
        resized = at::upsample_bicubic2d(planes, std::nullopt, false, scale);
        break;
      case Kind::bicubic_antialias:
        resized = at::_upsample_bicubic2d_aa(planes, std::nullopt, false, scale);
        break;
    }
  } else {
    switch (how.kind) {
      case Kind::none:
        break;
      case Kind::bilinear:
        resized = at::upsample_bilinear2d(planes, size, false);
        break;
      case Kind::bicubic:
        resized = at::upsample_bicubic2d(planes, size, false);
        break;
      case Kind::bicubic_antialias:
        resized = at::_upsample_bicubic2d_aa(planes, size, false);
        break;
    }
  }
  CRANE_CHECK_INVARIANT(resized.defined() && resized.size(2) == grid.height && resized.size(3) == grid.width,
                        "position grid became ", resized.size(2), " x ", resized.size(3));
  return resized.permute({0, 2, 3, 1}).reshape({grid.count(), -1});
}

int64_t used_blocks(const layers::TensorLoader& loader, const TowerConfig& config) {
  int64_t available = 0;
  while (loader.has(join_text("visual.blocks.", available, ".qkv.weight"))) ++available;
  check_input(available > 0, "E_WEIGHTS_MISSING", "no vision blocks in the weights");
  check_input(config.blocks <= available, "E_MODEL_CONFIG", "model.json asks for the first ", config.blocks,
              " vision blocks, the weights hold ", available);
  return config.blocks > 0 ? config.blocks : available;
}

}  // namespace

Tower Tower::load(const weights::CanonicalWeights& weights, const TowerConfig& config, at::Device device,
                  layers::PackedWeights* packed) {
  layers::TensorLoader loader(weights, device, packed);
  Tower tower;
  tower.config_ = config;
  tower.patch_weight_ = loader.required("visual.patch.weight");
  tower.patch_bias_ = loader.optional("visual.patch.bias");
  if (config.precision != Precision::float32 && cuda::has_kernels(device)) {
    tower.half_patches_ = HalfPatches(tower.patch_weight_, tower.patch_bias_);
  }
  tower.cls_ = loader.required("visual.cls");
  tower.positions_ = loader.required("visual.pos");
  tower.registers_ = loader.optional("visual.registers");
  tower.ln_pre_ = loader.layer_norm("visual.ln_pre", config.layer_norm_eps);
  const int64_t used = used_blocks(loader, config);
  const int64_t heads = layers::heads_of(tower.width(), config.heads);
  for (int64_t i = 0; i < used; ++i) {
    tower.blocks_.push_back(layers::FrozenBlock::load(loader, join_text("visual.blocks.", i), heads,
                                                      config.activation, config.layer_norm_eps,
                                                      config.precision));
  }
  tower.ln_post_ = loader.layer_norm("visual.ln_post", config.layer_norm_eps);
  check_input(tower.ln_post_.defined(), "E_WEIGHTS_MISSING", "the vision tower's final LayerNorm is missing");
  tower.projection_ = loader.optional("visual.proj");
  tower.parameters_ = loader.parameters();
  return tower;
}

std::vector<layers::Block> Tower::load_plain_blocks(const weights::CanonicalWeights& weights,
                                                    const TowerConfig& config, at::Device device) {
  layers::TensorLoader loader(weights, device);
  const int64_t used = used_blocks(loader, config);
  const int64_t width = weights.at("visual.cls").numel();
  std::vector<layers::Block> blocks;
  for (int64_t i = 0; i < used; ++i) {
    blocks.push_back(layers::Block::load(loader, join_text("visual.blocks.", i),
                                         layers::heads_of(width, config.heads), config.activation,
                                         config.layer_norm_eps));
  }
  return blocks;
}

int64_t Tower::stored_side() const {
  return std::llround(std::sqrt(static_cast<double>(positions_.size(0) - 1)));
}

void Tower::check_grid(Grid grid) const {
  const int64_t side = stored_side();
  if (config_.positions.kind != Kind::none || grid == Grid{side, side}) return;
  throw Error("E_MODEL_CONFIG",
              join_text("the model's positions are for ", side, " x ", side,
                        " patches and are not resized; an "
                        "input of ",
                        grid.width * patch(), " x ", grid.height * patch(), " pixels has ", grid.width, " x ",
                        grid.height),
              join_text("use --size ", side * patch(), "x", side * patch()));
}

at::Tensor Tower::positions_for(Grid grid) const {
  const int64_t side = stored_side();
  if (grid == Grid{side, side}) return positions_;
  check_grid(grid);
  const at::Tensor patches = resize_positions(positions_.slice(0, 1), side, grid, config_.positions);
  return at::cat({positions_.slice(0, 0, 1), patches}, /*dim=*/0);
}

at::Tensor Tower::embed(const at::Tensor& image) const {
  const Grid grid = grid_of(image);
  CRANE_CHECK_INVARIANT(grid.count() > 0, "picture of ", image.size(2), " x ", image.size(3));
  const at::Tensor patches = half_patches_.defined()
                                 ? half_patches_(image)
                                 : at::conv2d(image, patch_weight_, patch_bias_, /*stride=*/patch())
                                       .flatten(2)
                                       .transpose(1, 2);  // [B, N, w]
  const at::Tensor cls = cls_.view({1, 1, -1}).expand({image.size(0), 1, -1});
  at::Tensor tokens = at::cat({cls, patches}, /*dim=*/1) + positions_for(grid);
  if (registers_.defined()) {
    // Registers have no position.
    tokens = at::cat(
        {tokens.slice(1, 0, 1), registers_.unsqueeze(0).expand({image.size(0), -1, -1}), tokens.slice(1, 1)},
        /*dim=*/1);
  }
  return ln_pre_.defined() ? ln_pre_(tokens) : tokens;
}

Tapped Tower::forward(const at::Tensor& image, const Taps& taps, Trace* trace,
                      const StageNames& names) const {
  const at::Tensor tokens = embed(image);
  if (trace && !names.positions.empty())
    trace->record(names.positions, positions_for(grid_of(image)).unsqueeze(0));
  if (trace && !names.tokens.empty()) trace->record(names.tokens, tokens);
  return run_blocks(blocks_, tokens, taps, trace, names);
}

at::Tensor Tower::patch_features(const at::Tensor& image, Trace* trace) const {
  Taps taps;
  taps.end = PlainEnd::all;
  StageNames names;
  names.tokens = "stage.vfm.tokens";
  names.plain = "stage.vfm.block#";
  return ln_post_(forward(image, taps, trace, names).plain.slice(1, 1 + registers()));
}

at::Tensor Tower::to_joint(const at::Tensor& tokens) const {
  return projection_.defined() ? at::matmul(tokens, projection_) : tokens;
}

at::Tensor Tower::project(const at::Tensor& tokens) const { return to_joint(ln_post_(tokens)); }

at::Tensor resize_patches(const at::Tensor& patches, Grid from, Grid to) {
  if (from == to) return patches;
  const at::Tensor planes =
      patches.view({patches.size(0), from.height, from.width, -1}).permute({0, 3, 1, 2});
  return at::upsample_bilinear2d(planes, {to.height, to.width}, /*align_corners=*/false)
      .permute({0, 2, 3, 1})
      .reshape({patches.size(0), to.count(), -1});
}

}  // namespace crane::vision
