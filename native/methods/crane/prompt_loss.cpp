#include "methods/crane/prompt_loss.h"

#include <ATen/ops/log_softmax.h>
#include <ATen/ops/zeros.h>

#include "methods/crane/fusion.h"
#include "methods/maps.h"

namespace crane::methods {

LossTerms prompt_loss(const BatchFeatures& features, const at::Tensor& text, const train::CellCounts& cells,
                      const at::Tensor& labels, const LossOptions& options, Trace* trace) {
  const at::Tensor logits = text_logits(features.maps, text, options.pixel_temperature);  // [m, B, N, 2]
  LossTerms terms;
  if (cells.anomalous.size(0) == 0) {
    terms.focal = at::zeros({}, logits.options());
    terms.dice = at::zeros({}, logits.options());
  }
  for (int64_t m = 0; m < logits.size(0) && cells.anomalous.size(0) > 0; ++m) {
    const at::Tensor of_known = cells.known.defined() ? logits[m].index_select(0, cells.known) : logits[m];
    const at::Tensor p = at::softmax(of_known, /*dim=*/-1);
    const at::Tensor f = train::focal(p, cells);
    const at::Tensor d = train::dice(p, cells);
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
