// Learned prompts: the authors' checkpoints {"prompt_learner": state_dict} and the bare names.
#include "weights/family.h"

namespace crane::weights {

namespace {

constexpr std::string_view k_prefixes[] = {"", "prompt_learner."};

constexpr NameRow k_rows[] = {
    {"ctx_pos", "ctx_pos"},
    {"ctx_neg", "ctx_neg"},
    {"compound_prompts_text.#", "compound_prompts_text.#"},
    {"token_prefix_pos", "token_prefix_pos"},
    {"token_prefix_neg", "token_prefix_neg"},
    {"token_suffix_pos", "token_suffix_pos"},
    {"token_suffix_neg", "token_suffix_neg"},
    {"tokenized_prompts_pos", "tokenized_prompts_pos"},
    {"tokenized_prompts_neg", "tokenized_prompts_neg"},
};

}  // namespace

const Family k_prompts_family = {"prompts", k_prefixes, k_rows, {}};

}  // namespace crane::weights
