// AdaCLIP's passes through both towers with prompts that depend on the picture (docs/methods/adaclip.md): the
// same for scoring, on frozen blocks, and for learning, on plain ones.
#pragma once

#include <span>

#include "methods/adaclip/options.h"
#include "methods/adaclip/trainable.h"
#include "methods/sentence_pair.h"

namespace crane::methods::adaclip {

// What is frozen of a picture.
struct Frozen {
  at::Tensor plain_cls;  // [1, D]: the class feature without any prompt, not normalised
  at::Tensor tokens;     // [1, 1 + N, width]: what comes before the first block
};

// image [1, 3, H, W] normalised.
Frozen frozen_features(const vision::Tower& tower, const at::Tensor& image, Trace* trace);

struct Prompted {
  at::Tensor patches;  // z [L, N, D] unit rows
  at::Tensor cls;      // c [1, D] unit row
  at::Tensor text;     // T [2, D] unit rows: normal, anomalous
};

// Runs the vision tower's blocks, given as either face. Errors: E_MODEL_CONFIG for settings that do not fit.
Prompted prompted_features(const Towers& towers, std::span<const layers::FrozenBlock> blocks,
                           const Frozen& frozen, const SentencePair& sentences, const Trainable& trainable,
                           const Options& options, Trace* trace);
Prompted prompted_features(const Towers& towers, std::span<const layers::Block> blocks, const Frozen& frozen,
                           const SentencePair& sentences, const Trainable& trainable, const Options& options,
                           Trace* trace);

// Logits of the patches, [L, N, 2], and the picture's probability of an anomaly, [1].
struct Judged {
  at::Tensor logits;
  at::Tensor score;
};
Judged judge(const Prompted& prompted, const Options& options, Trace* trace);

Sizes sizes_of(const Towers& towers, const Options& options);

}  // namespace crane::methods::adaclip
