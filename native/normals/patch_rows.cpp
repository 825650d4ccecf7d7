#include "normals/patch_rows.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "layers/linear.h"

namespace crane::normals {
namespace {

// A unit row in float32 is off by some roundings of its sum.
constexpr double k_norm_slack = 1e-3;

}  // namespace

void check_patch_source(const PatchTowers& towers, const PatchSource& what) {
  if (what.is_source) {
    check_input(towers.source != nullptr, "E_MODEL_CONFIG",
                "the model has no spatial source whose patches a bank could hold");
    return;
  }
  const int64_t count = towers.vision.layers();
  check_input(!what.blocks.empty(), "E_MODEL_CONFIG", "a bank needs a block whose patches it holds");
  for (size_t i = 0; i < what.blocks.size(); ++i) {
    const int64_t block = what.blocks[i];
    check_input(block >= 1 && block <= count, "E_MODEL_CONFIG", "a bank of block ", block,
                ": the vision tower has blocks 1 to ", count);
    check_input(i == 0 || what.blocks[i - 1] < block, "E_MODEL_CONFIG",
                "the blocks of a bank must rise: ", what.blocks[i > 0 ? i - 1 : 0], " stands before ", block);
  }
}

vision::Grid grid_of(const PatchTowers& towers, const PatchSource& what, int64_t height, int64_t width) {
  return what.is_source ? towers.source->grid_for(height, width) : towers.vision.grid_for(height, width);
}

int64_t row_width(const PatchTowers& towers, const PatchSource& what) {
  return what.is_source ? towers.source->width()
                        : towers.vision.width() * static_cast<int64_t>(what.blocks.size());
}

namespace {

at::Tensor rows_of_source(const PatchTowers& towers, const at::Tensor& image) {
  const at::Tensor input = vision::renormalise(image, towers.vision.config(), towers.source->config());
  return layers::unit_rows(towers.source->patch_features(input, nullptr)[0].to(at::kFloat)).contiguous();
}

at::Tensor rows_of_blocks(const PatchTowers& towers, const PatchSource& what, const at::Tensor& image) {
  vision::Taps taps;
  taps.end = vision::PlainEnd::none;
  taps.levels = what.blocks;
  const vision::Tapped tapped = towers.vision.forward(image, taps);
  const double share = 1 / std::sqrt(static_cast<double>(what.blocks.size()));
  std::vector<at::Tensor> beside;
  for (const int64_t block : what.blocks) {
    const at::Tensor patches = tapped.levels.at(block)[0].slice(0, 1 + towers.vision.registers());
    const at::Tensor unit = layers::unit_rows(towers.vision.normed(patches).to(at::kFloat));
    beside.push_back(what.blocks.size() == 1 ? unit : unit * share);
  }
  return (beside.size() == 1 ? beside.front() : at::cat(beside, /*dim=*/1)).contiguous();
}

}  // namespace

at::Tensor patch_rows(const PatchTowers& towers, const PatchSource& what, const at::Tensor& image) {
  at::Tensor rows = what.is_source ? rows_of_source(towers, image) : rows_of_blocks(towers, what, image);
  // What a search makes of NaN is the business of its instructions: some would say "as far as can be".
  const at::Tensor is_unit = (rows.norm(2, /*dim=*/1) - 1).abs() < k_norm_slack;  // false for NaN
  check_input(is_unit.all().item<bool>(), "E_WEIGHTS_NONFINITE",
              "the features of a picture's patches are not finite: values overflow within the model");
  return rows;
}

}  // namespace crane::normals
