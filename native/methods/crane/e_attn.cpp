#include "methods/crane/e_attn.h"

#include <algorithm>
#include <string_view>

#include "core/error.h"
#include "methods/crane/e_attn_kind.h"

namespace crane::methods {
namespace {

// A block has one map, however often it is listed.
void check_distinct(std::vector<int64_t> blocks, std::string_view setting) {
  std::ranges::sort(blocks);
  const auto twice = std::ranges::adjacent_find(blocks);
  check_input(twice == blocks.end(), "E_MODEL_CONFIG", setting,
              " lists a block twice: ", twice == blocks.end() ? 0 : *twice);
}

}  // namespace

attention::SelfSet parse_e_attn(std::string_view kind) {
  if (kind == "(q+k+v)^2") return {false, false, false, /*joined=*/true};
  attention::SelfSet set{false, false, false, false};
  if (kind == "qq" || kind == "qq+kk" || kind == "qq+kk+vv") set.q = true;
  if (kind == "kk" || kind == "qq+kk" || kind == "qq+kk+vv") set.k = true;
  if (kind == "vv" || kind == "qq+kk+vv") set.v = true;
  check_input(set.q || set.k || set.v, "E_MODEL_CONFIG", "eAttn \"", kind,
              "\" is none of vv, kk, qq, qq+kk, qq+kk+vv, (q+k+v)^2");
  return set;
}

vision::Taps e_attn_taps(const CraneOptions& options, int64_t blocks) {
  check_input(options.e_attn_layers >= 1 && options.e_attn_layers <= blocks, "E_MODEL_CONFIG",
              "eAttnLayers is ", options.e_attn_layers, ", the vision tower has ", blocks, " blocks");
  check_input(!options.features.empty(), "E_MODEL_CONFIG", "features lists no block");
  const int64_t first = blocks - options.e_attn_layers + 1;
  for (const int64_t feature : options.features) {
    check_input(feature >= first && feature <= blocks, "E_MODEL_CONFIG", "features lists block ", feature,
                "; the second stream exists in blocks ", first, " to ", blocks);
  }
  vision::Taps taps;
  taps.second = vision::SecondStream{options.e_attn, first, {}};
  // The reference lists one tensor for every feature block, which later blocks change in place: the final e.
  if (!options.compat.aliased_features) {
    check_distinct(options.features, "features");
    taps.second->levels = options.features;
  }
  if (options.d_attn) {
    taps.values = options.compat.d_attn_layers;
    if (taps.values.empty()) taps.values.push_back(blocks);
    // In the first block of E-Attn the reference reads e after its update (fixtures.md 4, step 2).
    taps.first_values_of_second = true;
    check_distinct(taps.values, "compat.dAttnLayers");
    for (const int64_t layer : taps.values) {
      check_input(layer >= first && layer <= blocks, "E_MODEL_CONFIG", "compat.dAttnLayers lists block ",
                  layer, "; D-Attn can read blocks ", first, " to ", blocks);
    }
  }
  return taps;
}

}  // namespace crane::methods
