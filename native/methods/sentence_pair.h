// Text ensembles as methods compare with them: many sentences for what is normal, many for what is anomalous.
#pragma once

#include <string>
#include <string_view>

#include "methods/material.h"
#include "text/ensemble.h"

namespace crane::methods {

// The groups "normal" and "anomalous", in this order. Errors: E_PROMPTS where one has no sentence.
struct SentencePair {
  const std::vector<std::vector<int64_t>>& normal;
  const std::vector<std::vector<int64_t>>& anomalous;
};
SentencePair sentence_pair(const Texts& texts, std::string_view method);

// Features of every sentence, [S, D] before normalising. kept: Material::kept.
struct SentenceFeatures {
  at::Tensor normal;
  at::Tensor anomalous;
};
SentenceFeatures sentence_features(const text::LazyTower& tower, const Texts& texts, const std::string& kept,
                                   std::string_view method);

// Both vectors, [2, D] unit rows.
at::Tensor ensemble_pair(const text::LazyTower& tower, const Texts& texts, text::Mean mean,
                         const std::string& kept, std::string_view method);

}  // namespace crane::methods
