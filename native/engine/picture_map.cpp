#include "engine/picture_map.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "engine/smooth_map.h"
#include "methods/method.h"

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
  check_input(map.size(0) == plan_.input_height && map.size(1) == plan_.input_width, "E_USAGE",
              "this method's maps have ", map.size(1), " x ", map.size(0),
              " pixels, not the input's: its pictures can only be stretched");
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

PictureParts::PictureParts(const ScoreOptions& options)
    : parts_(options.method->facts().parts.size(), -std::numeric_limits<double>::infinity()) {}

void PictureParts::add(std::span<const double> view) {
  for (size_t i = 0; i < parts_.size(); ++i) parts_[i] = larger(parts_[i], view[i]);
}

void PictureParts::conclude(double map_max, const ScoreOptions& options, ScoreOutcome& outcome) const {
  outcome.parts = parts_;
  outcome.parts.push_back(map_max);
  const bool is_finite = std::all_of(outcome.parts.begin(), outcome.parts.end(),
                                     [](double part) { return std::isfinite(part); });
  if (!is_finite && !options.method->facts().may_be_nan) {
    std::string shown;
    for (const double part : parts_) shown = join_text(shown, part, ", ");
    throw Error("E_WEIGHTS_NONFINITE",
                join_text("the score of a picture is not finite (", shown, "largest of the map ", map_max,
                          "): values overflow within the model"));
  }
  outcome.score = outcome.parts[chosen_part(options)];
}

size_t chosen_part(const ScoreOptions& options) {
  if (options.image_score.empty()) return 0;
  const std::vector<std::string> parts = facts_of(*options.method).parts;
  const auto found = std::find(parts.begin(), parts.end(), options.image_score);
  if (found == parts.end()) {
    std::string known;
    for (const std::string& part : parts) known += (known.empty() ? "" : ", ") + part;
    throw Error("E_USAGE", join_text("imageScore \"", options.image_score, "\" is none of ", known));
  }
  return static_cast<size_t>(found - parts.begin());
}

void finish(const at::Tensor& sharp, const PictureParts& parts, const ScoreOptions& options, bool wants_map,
            ScoreOutcome& outcome) {
  const at::Tensor smooth = smooth_map(sharp, options.sigma_px);
  const std::span<const float> values(smooth.const_data_ptr<float>(), static_cast<size_t>(smooth.numel()));
  parts.conclude(max_of(values), options, outcome);
  outcome.map_height = smooth.size(0);
  outcome.map_width = smooth.size(1);
  if (wants_map) outcome.map.assign(values.begin(), values.end());
}

}  // namespace crane
