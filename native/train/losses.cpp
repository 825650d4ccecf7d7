#include "train/losses.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/zeros.h>

#include "core/error.h"
#include "methods/crane/fusion.h"

namespace crane::train {
namespace {

constexpr double k_smooth = 1e-5;

// Row of the grid that each of `size` pixels reads: torch's nearest rule, in float32 as torch computes it.
at::Tensor nearest_index(int64_t size, int64_t cells) {
  at::Tensor index = at::empty({size}, at::TensorOptions().dtype(at::kLong));
  const float scale = static_cast<float>(cells) / static_cast<float>(size);
  for (int64_t i = 0; i < size; ++i) {
    index.data_ptr<int64_t>()[i] = std::min(static_cast<int64_t>(static_cast<float>(i) * scale), cells - 1);
  }
  return index;
}

// Mean over all pixels of -(1 - pt)^2 log(pt). p [B, N, 2].
at::Tensor focal(const at::Tensor& p, const CellCounts& cells) {
  const at::Tensor normal = p.select(-1, 0);
  const at::Tensor anomalous = p.select(-1, 1);
  const auto term = [](const at::Tensor& right, const at::Tensor& wrong) {
    const at::Tensor pt = (1 - k_smooth) * right + k_smooth * wrong + k_smooth;
    return -(1 - pt).square() * pt.log();
  };
  const at::Tensor in_mask = cells.anomalous.to(p.scalar_type());
  const at::Tensor outside = (cells.pixels - cells.anomalous).to(p.scalar_type());
  const at::Tensor sum = (term(anomalous, normal) * in_mask + term(normal, anomalous) * outside).sum();
  return sum / (static_cast<double>(p.size(0)) * cells.pixels.sum().item<double>());
}

// 1 - mean over pictures of (2 sum(p_a y) + 1) / (sum p_a + sum y + 1).
at::Tensor dice(const at::Tensor& p, const CellCounts& cells) {
  const at::Tensor anomalous = p.select(-1, 1);
  const at::Tensor in_mask = cells.anomalous.to(p.scalar_type());
  const at::Tensor hit = (anomalous * in_mask).sum(-1);
  const at::Tensor claimed = (anomalous * cells.pixels.to(p.scalar_type())).sum(-1);
  return 1 - ((2 * hit + 1) / (claimed + in_mask.sum(-1) + 1)).mean();
}

}  // namespace

CellCounts count_cells(const at::Tensor& masks, int64_t grid_height, int64_t grid_width) {
  const int64_t height = masks.size(1);
  const int64_t width = masks.size(2);
  const at::Tensor row = nearest_index(height, grid_height).unsqueeze(1);
  const at::Tensor cell =
      (row * grid_width + nearest_index(width, grid_width).unsqueeze(0)).flatten();  // [H*W]
  const auto options = at::TensorOptions().dtype(at::kDouble);
  CellCounts counts;
  counts.pixels =
      at::zeros({grid_height * grid_width}, options).index_add(0, cell, at::ones({height * width}, options));
  counts.anomalous = at::zeros({masks.size(0), grid_height * grid_width}, options)
                         .index_add(1, cell, masks.to(at::kDouble).flatten(1));
  return counts;
}

LossTerms prompt_loss(const Features& features, const at::Tensor& text, const CellCounts& cells,
                      const at::Tensor& labels, const LossOptions& options, Trace* trace) {
  const at::Tensor logits =
      methods::text_logits(features.maps, text, options.pixel_temperature);  // [m, B, N, 2]
  LossTerms terms;
  for (int64_t m = 0; m < logits.size(0); ++m) {
    const at::Tensor p = at::softmax(logits[m], /*dim=*/-1);
    const at::Tensor f = focal(p, cells);
    const at::Tensor d = dice(p, cells);
    terms.focal = terms.focal.defined() ? terms.focal + f : f;
    terms.dice = terms.dice.defined() ? terms.dice + d : d;
  }
  const auto copies = static_cast<double>(features.copies);
  terms.focal = terms.focal * (options.focal_weight * copies);
  terms.dice = terms.dice * (options.dice_weight * copies);
  const at::Tensor image_feature = methods::fuse(features.maps, logits, features.global, trace);
  const at::Tensor image_logits =
      methods::text_logits(image_feature.unsqueeze(1), text, options.image_temperature).squeeze(1);  // [B, 2]
  terms.image = -at::log_softmax(image_logits, /*dim=*/-1).gather(-1, labels.unsqueeze(-1)).mean();
  if (trace) {
    trace->record("text_features", text);
    trace->record("patch_norm", features.maps);
    trace->record("pixel_logits", logits);
    trace->record("image_feature", image_feature);
    trace->record("image_logits", image_logits);
  }
  terms.total = terms.focal + terms.dice + options.image_weight * terms.image;
  return terms;
}

}  // namespace crane::train
