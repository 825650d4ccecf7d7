// The start and end rows that the authors' checkpoints bring (token_prefix_*, token_suffix_*) beside the rows
// of the tower's token table for the same tokens: equal where the prompts were learned on this tower.
#pragma once

#include <array>
#include <vector>

#include "weights/name_map.h"

namespace crane::text {

struct TokenComparison {
  int64_t rows = 0;         // compared; 0 where either side has none
  double difference = 0.0;  // largest of two values
  double magnitude = 0.0;   // largest of a value of the table's rows
};

// ids: those of the two texts; a checkpoint that brings its own was learned with those. Rows after the end of
// text never reach the result and are not compared. Errors: those of check_text, check_prompts and read_f32.
TokenComparison compare_stored_tokens(const weights::CanonicalWeights& towers,
                                      const weights::CanonicalWeights& prompts,
                                      std::array<std::vector<int64_t>, 2> ids);

}  // namespace crane::text
