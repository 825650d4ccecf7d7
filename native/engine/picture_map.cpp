#include "engine/picture_map.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "engine/smooth_map.h"

namespace crane {
namespace {

double max_of(std::span<const float> map) {
  double largest = map.front();
  for (const float value : map) largest = larger(largest, value);
  return largest;
}

}  // namespace

void PictureMap::add(const at::Tensor& map) {
  if (plan_.fit == image::Fit::stretch) {
    whole_ = map;
    return;
  }
  merger_.add(map.to(at::kCPU).contiguous().const_data_ptr<float>());
}

at::Tensor PictureMap::take() {
  if (plan_.fit == image::Fit::stretch) return whole_;
  const std::vector<float> merged = merger_.take();
  at::Tensor map = at::empty({plan_.map_height, plan_.map_width}, at::TensorOptions().dtype(at::kFloat));
  std::copy(merged.begin(), merged.end(), map.data_ptr<float>());
  return map;
}

double larger(double a, double b) { return std::isnan(a) || a >= b ? a : b; }

void conclude(double fused_score, double map_max, const ScoreOptions& options, ScoreOutcome& outcome) {
  outcome.fused_score = fused_score;
  outcome.map_max = map_max;
  // A D-Attn row that keeps nothing is the one NaN somebody may ask for (compat.empty_rows).
  const bool may_be_nan = options.method.compat.empty_rows == attention::EmptyRows::nan;
  check_input(may_be_nan || (std::isfinite(fused_score) && std::isfinite(outcome.map_max)),
              "E_WEIGHTS_NONFINITE", "the score of a picture is not finite (", fused_score,
              ", largest of the map ", outcome.map_max, "): values overflow within the model");
  outcome.score = options.image_score == ImageScore::map_max ? outcome.map_max : outcome.fused_score;
}

void finish(const at::Tensor& sharp, double fused_score, const ScoreOptions& options, bool wants_map,
            ScoreOutcome& outcome) {
  const at::Tensor smooth = smooth_map(sharp, options.sigma_px);
  const std::span<const float> values(smooth.const_data_ptr<float>(), static_cast<size_t>(smooth.numel()));
  conclude(fused_score, max_of(values), options, outcome);
  outcome.map_height = smooth.size(0);
  outcome.map_width = smooth.size(1);
  if (wants_map) outcome.map.assign(values.begin(), values.end());
}

}  // namespace crane
