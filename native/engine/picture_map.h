// The map of one picture, put together from the maps of its views, and what is read off it.
#pragma once

#include <span>
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

// The parts of a picture's score over its views: of each the largest, as the most anomalous view decides.
class PictureParts {
 public:
  explicit PictureParts(const ScoreOptions& options);
  void add(std::span<const double> view);
  // Chooses the picture's score. Errors: E_WEIGHTS_NONFINITE, unless NaN was asked for.
  void conclude(double map_max, const ScoreOptions& options, ScoreOutcome& outcome) const;

 private:
  std::vector<double> parts_;
};

// Where the part that options.image_score names stands among the method's parts and map-max, which comes
// last. Errors: E_USAGE for none of them.
size_t chosen_part(const ScoreOptions& options);

// Smooths a picture's map and fills what every outcome has.
void finish(const at::Tensor& sharp, const PictureParts& parts, const ScoreOptions& options, bool wants_map,
            ScoreOutcome& outcome);

}  // namespace crane
