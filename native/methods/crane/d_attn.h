// D-Attn: attention at the vision tower's values guided by the cosines of a spatial source (method.md 4).
#pragma once

#include <c10/core/Event.h>

#include "methods/crane/options.h"
#include "methods/method.h"

namespace crane::methods {

// What the source says of the pictures of one call.
struct SourceAffinity {
  at::Tensor features;  // Z_D [B, n, C], unit rows
  at::Tensor means;     // [B] float64: mean cosine per picture, or of the whole call (compat.batchMean)
  vision::Grid grid;
  // On a GPU the source runs on a stream of its own beside the vision tower.
  std::shared_ptr<c10::Event> is_ready;

  // The current stream goes on once the features are there. To be called before they are read.
  void join() const;

  // Of picture b alone, with the mean it was given here.
  SourceAffinity picture(int64_t b) const {
    return {features.slice(0, b, b + 1), means.slice(0, b, b + 1), grid, is_ready};
  }
};

// image [B, 3, H, W] normalised for `vision`; it is un-normalised, clamped to [0, 1] and normalised for the
// source.
SourceAffinity source_affinity(const Towers& towers, const at::Tensor& image, const CraneOptions& options,
                               Trace* trace);

// values [B, N, width] at the vision tower's grid -> d [B, n, width] before ln_post, on the source's grid.
at::Tensor d_attn(const layers::FrozenBlock& block, const SourceAffinity& affinity, const at::Tensor& values,
                  vision::Grid values_grid, const CraneOptions& options, Trace* trace);

}  // namespace crane::methods
