// Text ensembles: many sentences stand for one meaning (normal, anomalous), their mean is its vector.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "text/lazy_tower.h"

namespace crane::text {

// How sentences become one vector; it has length one in the end either way.
enum class Mean {
  raw,   // of the features as they come
  unit,  // of the features at length one
};

// features [S, D] as encode_sentences() gives them -> [D].
at::Tensor mean_vector(const at::Tensor& features, Mean mean);

// Sentences by the name of their group, each as token ids from start to padding.
using SentenceGroups = std::map<std::string, std::vector<std::vector<int64_t>>>;

// Features of every group, [S, D] before normalising, in the order of its sentences. `kept`: a file that has
// them, or gets them; may be empty. It must belong to these sentences and this tower: only shapes are
// compared. Errors: E_PROMPTS.
std::map<std::string, at::Tensor> encode_groups(const LazyTower& tower, const SentenceGroups& groups,
                                                const std::string& kept);

}  // namespace crane::text
