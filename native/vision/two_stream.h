// The tower with a second stream e that gathers self-correlation attention in its last blocks and never
// passes an MLP (method.md 3). The plain stream runs undisturbed beside it.
#pragma once

#include <map>
#include <vector>

#include "attention/self_correlation.h"
#include "vision/tower.h"

namespace crane::vision {

struct TwoStreamRequest {
  attention::SelfSet set;
  int64_t two_stream_blocks = 0;  // number of last blocks that carry both streams
  // Blocks (1-based) after which e is wanted. With `final_only` the final e stands for every one of them.
  std::vector<int64_t> features;
  bool final_only = true;
  // Blocks (1-based) whose values V at the patches are wanted.
  std::vector<int64_t> value_blocks;
};

struct TwoStreamFeatures {
  at::Tensor cls;             // [B, width]: the plain stream's class token after the last block
  std::vector<at::Tensor> e;  // [B, N, width] each: one, or one per entry of `features` unless final_only
  std::map<int64_t, at::Tensor> values;  // block -> V [B, N, width]
};

// image [B, 3, H, W] normalised. With a trace every stage is computed whole; without one, what nobody reads
// in the last block (the patches' plain stream) is skipped.
TwoStreamFeatures two_stream_forward(const Tower& tower, const at::Tensor& image,
                                     const TwoStreamRequest& request, Trace* trace);

}  // namespace crane::vision
