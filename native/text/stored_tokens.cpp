#include "text/stored_tokens.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <unordered_map>

#include "text/prompt_checkpoint.h"
#include "weights/structure.h"

namespace crane::text {
namespace {

std::vector<int32_t> integers(const weights::CanonicalTensor& tensor) {
  std::vector<int32_t> values(static_cast<size_t>(tensor.numel()));
  weights::read_i32(tensor, values.data());
  return values;
}

std::vector<float> floats(const weights::CanonicalTensor& tensor) {
  std::vector<float> values(static_cast<size_t>(tensor.numel()));
  weights::read_f32(tensor, values.data());
  return values;
}

class TokenTable {
 public:
  explicit TokenTable(const weights::CanonicalWeights& towers) : tokens_(towers.at("text.tokens")) {
    if (const auto* ids = towers.find("text.token_ids")) {
      const std::vector<int32_t> stored = integers(*ids);
      for (size_t row = 0; row < stored.size(); ++row) rows_[stored[row]] = static_cast<int64_t>(row);
    }
  }

  // Empty where the table has no row for it.
  std::vector<float> row(int64_t id) const {
    int64_t at = id;
    if (!rows_.empty()) {
      const auto found = rows_.find(id);
      if (found == rows_.end()) return {};
      at = found->second;
    }
    if (at < 0 || at >= tokens_.shape[0]) return {};
    std::vector<float> values(static_cast<size_t>(tokens_.shape[1]));
    weights::read_f32_rows(tokens_, at, 1, values.data());
    return values;
  }

 private:
  const weights::CanonicalTensor& tokens_;
  std::unordered_map<int64_t, int64_t> rows_;
};

void compare(const std::vector<float>& table, const float* stored, TokenComparison& result) {
  if (table.empty()) return;
  ++result.rows;
  for (size_t i = 0; i < table.size(); ++i) {
    result.difference = std::max(result.difference, std::fabs(static_cast<double>(table[i]) - stored[i]));
    result.magnitude = std::max(result.magnitude, std::fabs(static_cast<double>(table[i])));
  }
}

}  // namespace

TokenComparison compare_stored_tokens(const weights::CanonicalWeights& towers,
                                      const weights::CanonicalWeights& prompts,
                                      std::array<std::vector<int64_t>, 2> ids) {
  TokenComparison result;
  if (towers.find("text.tokens") == nullptr || prompts.find("token_prefix_pos") == nullptr) return result;
  const PromptStructure structure = check_prompts(prompts, weights::check_text(towers).width);
  const TokenTable table(towers);
  const auto width = static_cast<size_t>(structure.width);
  const std::array<std::string, 2> names{"pos", "neg"};
  for (size_t c = 0; c < names.size(); ++c) {
    if (structure.has_token_ids) {
      const std::vector<int32_t> own = integers(prompts.at("tokenized_prompts_" + names[c]));
      ids[c].assign(own.begin(), own.end());
    }
    if (ids[c].empty()) continue;
    compare(table.row(ids[c].front()), floats(prompts.at("token_prefix_" + names[c])).data(), result);
    const std::vector<float> suffix = floats(prompts.at("token_suffix_" + names[c]));
    // CLIP marks the end of text by the largest id.
    const auto end = static_cast<size_t>(std::max_element(ids[c].begin(), ids[c].end()) - ids[c].begin());
    const auto first = static_cast<size_t>(1 + structure.context_vectors);
    for (size_t at = first; at <= end && (at - first + 1) * width <= suffix.size(); ++at) {
      compare(table.row(ids[c][at]), suffix.data() + (at - first) * width, result);
    }
  }
  return result;
}

}  // namespace crane::text
