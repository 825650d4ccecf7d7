#include "text/prompts.h"

#include "core/error.h"
#include "layers/linear.h"
#include "text/prompt_checkpoint.h"
#include "weights/name_map.h"

namespace crane::text {
namespace {

// [.., n, width] -> [n, width]
at::Tensor as_rows(const at::Tensor& stored) { return stored.reshape({-1, stored.size(-1)}); }

// How many tokens after the start are equal.
int64_t placeholders(const std::vector<int64_t>& ids) {
  int64_t count = 0;
  for (size_t i = 1; i < ids.size() && ids[i] == ids[1]; ++i) ++count;
  return count;
}

}  // namespace

void check_placeholders(const PromptSet& prompts, const std::string& where, const std::string& code) {
  const std::array<const char*, k_pair> names{"normal", "anomalous"};
  const int64_t rows = prompts.context_rows();
  for (int c = 0; c < k_pair; ++c) {
    const int64_t there = placeholders(prompts.ids[c]);
    if (there == rows) continue;
    throw Error(
        code,
        join_text(where, ": ", rows, " context rows, but the ", names[c], " text begins with ", there,
                  there == 1 ? " placeholder" : " placeholders"),
        "each row takes the place of an X: the texts of a set stand in model.json, a file may bring its "
        "own (tokenized_prompts_pos, tokenized_prompts_neg)");
  }
}

PromptSet load_prompts(const std::string& path, std::array<std::vector<int64_t>, k_pair> ids,
                       int64_t text_width, at::Device device) {
  const weights::CanonicalWeights file = weights::canonicalise({weights::open_weights(path)});
  check_prompts(file, text_width);
  layers::TensorLoader loader(file, device);
  PromptSet set;
  set.ids = std::move(ids);
  const std::array<std::string, k_pair> names{"pos", "neg"};
  for (int c = 0; c < k_pair; ++c) {
    set.context[c] = as_rows(loader.required("ctx_" + names[c]));
    // A checkpoint that brings its own texts was learned with them.
    if (const auto* own = file.find("tokenized_prompts_" + names[c])) {
      std::vector<int32_t> stored(static_cast<size_t>(own->numel()));
      weights::read_i32(*own, stored.data());
      set.ids[c].assign(stored.begin(), stored.end());
    }
    if (loader.has("token_prefix_" + names[c]))
      set.stored_start[c] = as_rows(loader.required("token_prefix_" + names[c]));
    if (loader.has("token_suffix_" + names[c]))
      set.stored_suffix[c] = as_rows(loader.required("token_suffix_" + names[c]));
  }
  for (int64_t i = 0; loader.has(join_text("compound_prompts_text.", i)); ++i) {
    set.deep.push_back(as_rows(loader.required(join_text("compound_prompts_text.", i))));
  }
  check_placeholders(set, path, "E_PROMPTS");
  return set;
}

}  // namespace crane::text
