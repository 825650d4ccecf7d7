// E-Attn: what Crane asks of the vision tower (method.md 3).
#pragma once

#include "methods/crane/options.h"
#include "vision/block_loop.h"

namespace crane::methods {

// Checks the settings against a tower of `blocks` blocks: E_MODEL_CONFIG names what does not fit.
vision::Taps e_attn_taps(const CraneOptions& options, int64_t blocks);

}  // namespace crane::methods
