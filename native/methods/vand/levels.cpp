#include "methods/vand/levels.h"

#include "core/error.h"
#include "layers/linear.h"
#include "methods/levels.h"

namespace crane::methods::vand {
namespace {

vision::StageNames stage_names() {
  vision::StageNames names;
  names.positions = "vis.positions";
  names.tokens = "vis.ln_pre";
  names.plain = "vis.block#";
  return names;
}

}  // namespace

PictureLevels picture_levels(const vision::Tower& tower, const at::Tensor& image, const Options& options,
                             Trace* trace) {
  check_levels(options.features, tower.layers());
  CRANE_CHECK_INVARIANT(tower.registers() == 0, tower.registers(), " registers in the vision tower");
  vision::Taps taps;
  taps.levels = options.features;
  const vision::Tapped tapped = tower.forward(image, taps, trace, stage_names());
  const at::Tensor cls = tower.project(tapped.plain.select(1, 0));
  if (trace != nullptr) trace->record("vis.cls", cls);
  std::vector<at::Tensor> tokens;
  for (const int64_t level : options.features) tokens.push_back(tapped.levels.at(level)[0].slice(0, 1));
  return {layers::unit_rows(cls), at::stack(tokens, /*dim=*/0)};
}

HeadSizes head_sizes(const vision::Tower& tower, const Options& options) {
  return {static_cast<int64_t>(options.features.size()), tower.width(), tower.joint_width()};
}

}  // namespace crane::methods::vand
