// TextTower::encode_sentences: plain CLIP text features of many sentences.
#include <algorithm>

#include "core/error.h"
#include "text/tower.h"

namespace crane::text {
namespace {

// Sentences of one pass: rows enough to fill the products, and 250 MB inside the MLP of the widest tower at
// most.
constexpr size_t k_at_once = 64;

}  // namespace

at::Tensor TextTower::encode_sentences(std::span<const std::vector<int64_t>> sentences,
                                       const std::vector<at::Tensor>& deep, bool half_deep_tokens) const {
  check_input(!sentences.empty(), "E_PROMPTS", "there is no sentence to encode");
  int64_t deep_rows = 0;
  for (const at::Tensor& rows : deep) deep_rows = std::max(deep_rows, rows.size(0));
  std::vector<at::Tensor> features;
  for (size_t first = 0; first < sentences.size(); first += k_at_once) {
    const auto some = sentences.subspan(first, std::min(k_at_once, sentences.size() - first));
    // CLIP marks the end of text by the largest id; what follows never reaches it (causal mask).
    std::vector<int64_t> ends;
    for (const auto& ids : some) ends.push_back(std::max_element(ids.begin(), ids.end()) - ids.begin());
    const int64_t length = 1 + std::max(*std::max_element(ends.begin(), ends.end()), deep_rows);
    check_input(length <= context_length(), "E_PROMPTS", "a sentence of ", length,
                " tokens does not fit the text tower's ", context_length(), " positions");
    std::vector<int64_t> rows;
    std::vector<int64_t> at_end;  // of the rows of all sentences below each other
    for (size_t s = 0; s < some.size(); ++s) {
      for (int64_t position = 0; position < length; ++position) {
        const bool is_read = position <= ends[s];
        const auto row = is_read ? table_row(some[s][static_cast<size_t>(position)]) : 0;
        if (!row) {
          throw Error("E_PROMPTS",
                      join_text("token ", some[s][static_cast<size_t>(position)],
                                " of a sentence has no row in the model's token table"),
                      "use a model with the whole vocabulary");
        }
        rows.push_back(*row);
      }
      at_end.push_back(static_cast<int64_t>(s) * length + ends[s]);
    }
    const auto index = [&](const std::vector<int64_t>& from) {
      return at::tensor(from, at::TensorOptions().dtype(at::kLong)).to(tokens_.device());
    };
    const auto count = static_cast<int64_t>(some.size());
    const at::Tensor embedded = tokens_.index_select(0, index(rows)).view({count, length, width()});
    const at::Tensor x =
        run_blocks(embedded + positions_.slice(0, 0, length), deep, half_deep_tokens, /*trace=*/nullptr);
    features.push_back(to_joint(x.reshape({count * length, width()}).index_select(0, index(at_end))));
  }
  return features.size() == 1 ? features.front() : at::cat(features, /*dim=*/0);
}

}  // namespace crane::text
