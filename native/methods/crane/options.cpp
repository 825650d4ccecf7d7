#include "methods/crane/options.h"

#include "methods/crane/e_attn_kind.h"
#include "methods/temperature.h"

namespace crane::methods {

text::Guidance parse_guidance(std::string_view name) {
  if (name == "pad-suffix") return text::Guidance::pad_suffix;
  if (name == "pad-prefix") return text::Guidance::pad_prefix;
  if (name == "replace-suffix") return text::Guidance::replace_suffix;
  if (name == "replace-prefix") return text::Guidance::replace_prefix;
  check_input(name == "none", "E_MODEL_CONFIG", "guidance \"", name,
              "\" is none of none, pad-suffix, pad-prefix, replace-suffix, replace-prefix");
  return text::Guidance::none;
}

CraneOptions parse_crane(const Settings& settings) {
  CraneOptions options;
  SettingsReader read(settings);
  std::string e_attn = "qq+kk+vv";
  read.text("eAttn", e_attn);
  options.e_attn = parse_e_attn(e_attn);
  read.integer("eAttnLayers", options.e_attn_layers);
  read.integers("features", options.features);
  read.flag("softMean", options.soft_mean);
  read.flag("dAttn", options.d_attn);
  read.word<Maps>("maps", options.maps, {{"both", Maps::both}, {"dattn", Maps::d_attn}});
  read.number("dAttnBeta", options.d_attn_beta);
  read.flag("fusion", options.fusion);
  std::string guidance = "none";
  read.text("guidanceAtTest", guidance);
  options.guidance_at_test = parse_guidance(guidance);
  read_temperature(read, options.temperature);
  Compat& compat = options.compat;
  read.flag("compat.batchMean", compat.batch_mean);
  read.flag("compat.halfDeepTokens", compat.half_deep_tokens);
  read.flag("compat.aliasedFeatures", compat.aliased_features);
  read.word<attention::EmptyRows>(
      "compat.emptyRows", compat.empty_rows,
      {{"self", attention::EmptyRows::keep_self}, {"nan", attention::EmptyRows::nan}});
  read.integers("compat.dAttnLayers", compat.d_attn_layers);
  read.flag("compat.storedTokens", compat.stored_tokens);
  read.finish("crane");
  return options;
}

}  // namespace crane::methods
