#include "methods/crane/prompt_loss.h"

#include <ATen/ops/log_softmax.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include "methods/crane/fusion.h"
#include "methods/maps.h"
#include "train/map_loss.h"

namespace crane::methods {

namespace {

// Focal and Dice loss of one map's probabilities, [K, N, 2], unweighted.
struct MapTerms {
  at::Tensor focal;
  at::Tensor dice;
};

MapTerms map_terms(const at::Tensor& p, const PixelLabels& pixels, Upsampling upsampling) {
  if (upsampling == Upsampling::nearest) return {train::focal(p, pixels.cells), train::dice(p, pixels.cells)};
  const int64_t height = pixels.masks.size(1);
  const int64_t width = pixels.masks.size(2);
  const at::Tensor all =
      at::ones({height * width}, at::TensorOptions().dtype(at::kDouble).device(p.device()));
  const train::CellCounts every{all, pixels.masks.flatten(1).to(at::kDouble), {}};
  const train::MapLoss loss = train::map_loss(
      upsampled(p, pixels.grid, height, width, /*align_corners=*/false), every, /*rows_of_one=*/false);
  return {loss.focal, loss.dice_anomalous};
}

}  // namespace

LossTerms prompt_loss(const BatchFeatures& features, const at::Tensor& text, const PixelLabels& pixels,
                      const at::Tensor& labels, const LossOptions& options, Trace* trace) {
  const at::Tensor logits = text_logits(features.maps, text, options.pixel_temperature);  // [m, B, N, 2]
  const train::CellCounts& cells = pixels.cells;
  LossTerms terms;
  if (cells.anomalous.size(0) == 0) {
    terms.focal = at::zeros({}, logits.options());
    terms.dice = at::zeros({}, logits.options());
  }
  for (int64_t m = 0; m < logits.size(0) && cells.anomalous.size(0) > 0; ++m) {
    const at::Tensor of_known = cells.known.defined() ? logits[m].index_select(0, cells.known) : logits[m];
    const auto [f, d] = map_terms(at::softmax(of_known, /*dim=*/-1), pixels, options.upsampling);
    terms.focal = terms.focal.defined() ? terms.focal + f : f;
    terms.dice = terms.dice.defined() ? terms.dice + d : d;
  }
  const auto copies = static_cast<double>(features.copies);
  terms.focal = terms.focal * (options.focal_weight * copies);
  terms.dice = terms.dice * (options.dice_weight * copies);
  const at::Tensor image_feature = fuse(features.maps, logits, features.global, trace);
  const at::Tensor image_logits =
      text_logits(image_feature.unsqueeze(1), text, options.image_temperature).squeeze(1);  // [B, 2]
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

}  // namespace crane::methods
