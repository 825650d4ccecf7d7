// The training loss of Crane's prompts from frozen features (method.md 7); 518 x 518 maps never exist.
#pragma once

#include "methods/crane/prompt_training.h"
#include "tensors/trace.h"
#include "train/losses.h"

namespace crane::methods {

// Frozen features of a batch.
struct BatchFeatures {
  at::Tensor maps;  // [m, B, N, D] unit rows, the distinct maps
  int64_t copies =
      1;  // how many times each map is listed (method.md 3, "features"); multiplies the pixel loss
  at::Tensor global;  // [B, D] unit rows
};

// Scalars on the graph, weighted as the reference logs them: total = focal + dice + image_weight * image.
struct LossTerms {
  at::Tensor focal;
  at::Tensor dice;
  at::Tensor image;
  at::Tensor total;
};

// text [B, 2, D] unit rows, labels [B] int64 (1 anomalous).
LossTerms prompt_loss(const BatchFeatures& features, const at::Tensor& text, const train::CellCounts& cells,
                      const at::Tensor& labels, const LossOptions& options, Trace* trace = nullptr);

}  // namespace crane::methods
