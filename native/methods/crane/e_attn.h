// E-Attn: what Crane asks of the vision tower (method.md 3).
#pragma once

#include "methods/crane/options.h"
#include "vision/two_stream.h"

namespace crane::methods {

// Checks the settings against a tower of `blocks` blocks: E_MODEL_CONFIG names what does not fit.
vision::TwoStreamRequest e_attn_request(const CraneOptions& options, int64_t blocks);

}  // namespace crane::methods
