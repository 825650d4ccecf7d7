// What Crane reads off a picture before any text is involved: the same for scoring and for training.
#pragma once

#include "methods/crane/d_attn.h"
#include "methods/crane/options.h"
#include "methods/method.h"

namespace crane::methods {

struct PictureFeatures {
  at::Tensor global;  // G [B, D], unit rows
  at::Tensor maps;    // [m, B, n, D], unit rows: the distinct maps, D-Attn's before E-Attn's
  vision::Grid grid;  // of the maps
};

// image [B, 3, H, W] normalised; `affinity` of these pictures with D-Attn, else null.
// Errors: E_MODEL_CONFIG for settings that do not fit the tower.
PictureFeatures picture_features(const Towers& towers, const at::Tensor& image,
                                 const SourceAffinity* affinity, const CraneOptions& options, Trace* trace);

// How many maps that differ the settings give, and how often each is listed: listed layers that all show the
// final e are one map that counts as often as it is listed (method.md 3).
int64_t distinct_maps(const CraneOptions& options);
int64_t copies_of_maps(const CraneOptions& options);

}  // namespace crane::methods
