// The training loss of Crane's prompts from frozen features (method.md 7). With nearest upsampling 518 x 518
// maps never exist; with bilinear the pixels of a cell differ, and they do.
#pragma once

#include "methods/crane/prompt_training.h"
#include "tensors/trace.h"
#include "train/losses.h"
#include "vision/spatial_source.h"

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

// What the pixels of the batch's pictures are.
struct PixelLabels {
  train::CellCounts cells;
  // [K, H, W] u8 of 0 and 1 of the pictures of `cells.known`; read where upsampling is bilinear
  at::Tensor masks;
  vision::Grid grid;  // of the maps; read where upsampling is bilinear
};

// text [B, 2, D] unit rows, labels [B] int64 (1 anomalous).
LossTerms prompt_loss(const BatchFeatures& features, const at::Tensor& text, const PixelLabels& pixels,
                      const at::Tensor& labels, const LossOptions& options, Trace* trace = nullptr);

}  // namespace crane::methods
