// What AnomalyCLIP reads off a picture before any text is involved: the same for scoring and for training.
#pragma once

#include "methods/anomalyclip/options.h"
#include "methods/method.h"

namespace crane::methods::anomalyclip {

struct PictureFeatures {
  at::Tensor global;  // [1, D] unit row
  at::Tensor maps;    // [L, n, D] unit rows, the levels that differ
};

// image [1, 3, H, W] normalised. Errors: E_MODEL_CONFIG for settings that do not fit the tower.
PictureFeatures picture_features(const vision::Tower& tower, const at::Tensor& image, const Options& options,
                                 Trace* trace);

// Errors: E_MODEL_CONFIG for what a tower of `blocks` blocks does not have.
void check_settings(const Options& options, int64_t blocks);

// How many levels differ, and how often each is listed.
int64_t distinct_levels(const Options& options);
int64_t copies_of_levels(const Options& options);

}  // namespace crane::methods::anomalyclip
