// The map of one picture, put together from the maps of its views, and what is read off it.
#pragma once

#include <vector>

#include "engine/engine.h"
#include "image/fit.h"
#include "image/merge.h"
#include "tensors/torch_headers.h"

namespace crane {

// Takes the views' maps [H, W] in the order of the plan; holds one map, however many views there are.
class PictureMap {
 public:
  explicit PictureMap(const image::ViewPlan& plan) : plan_(plan), merger_(plan) {}

  void add(const at::Tensor& map);
  // [map_height, map_width], covers exactly the picture; on the device where nothing had to be merged.
  at::Tensor take();

 private:
  image::ViewPlan plan_;
  image::MapMerger merger_;
  at::Tensor whole_;
};

// NaN wins: it must not hide behind the larger values.
double larger(double a, double b);

// Chooses a picture's score. Errors: E_WEIGHTS_NONFINITE, unless NaN was asked for (compat.empty_rows).
void conclude(double fused_score, double map_max, const ScoreOptions& options, ScoreOutcome& outcome);

// Smooths a picture's map and fills what every outcome has.
void finish(const at::Tensor& sharp, double fused_score, const ScoreOptions& options, bool wants_map,
            ScoreOutcome& outcome);

}  // namespace crane
