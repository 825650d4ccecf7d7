// Settings of Crane and Crane+ with the reference's defaults, and the numerics in which paper, reference and
// this engine part.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "attention/kinds.h"
#include "methods/settings.h"
#include "text/guidance.h"

namespace crane::methods {

// Documented in docs/compat.md; defaults are this engine's (method.md 10).
struct Compat {
  bool batch_mean = false;       // D-Attn's mean over the whole call
  bool half_deep_tokens = true;  // deep tokens rounded to half in the forward pass
  bool aliased_features = true;  // every listed feature layer shows the final e
  attention::EmptyRows empty_rows = attention::EmptyRows::keep_self;
  std::vector<int64_t> d_attn_layers;  // 1-based; empty: the last block only
  bool stored_tokens = false;          // a checkpoint's own start and end rows instead of the token table's
};

enum class Maps { both, d_attn };

struct CraneOptions {
  attention::SelfSet e_attn;
  int64_t e_attn_layers = 19;
  std::vector<int64_t> features;  // 1-based block numbers
  bool soft_mean = true;
  bool d_attn = false;
  Maps maps = Maps::both;
  double d_attn_beta = 1.2;
  bool fusion = true;
  text::Guidance guidance_at_test = text::Guidance::none;
  double temperature = 0.07;
  Compat compat;
};

// Errors: E_MODEL_CONFIG for a setting that is none, or a value that it cannot have.
CraneOptions parse_crane(const Settings& settings);
// none, pad-suffix, pad-prefix, replace-suffix or replace-prefix; E_MODEL_CONFIG.
text::Guidance parse_guidance(std::string_view name);

}  // namespace crane::methods
