// The canonical names themselves, as `weights convert` writes them.
#include "weights/family.h"

namespace crane::weights {

namespace {

constexpr std::string_view k_prefixes[] = {""};

constexpr NameRow k_rows[] = {
    {"visual.patch.weight", "visual.patch.weight"},
    {"visual.patch.bias", "visual.patch.bias"},
    {"visual.cls", "visual.cls"},
    {"visual.pos", "visual.pos"},
    {"visual.registers", "visual.registers"},
    {"visual.ln_pre.weight", "visual.ln_pre.weight"},
    {"visual.ln_pre.bias", "visual.ln_pre.bias"},
    {"visual.blocks.#.ln1.weight", "visual.blocks.#.ln1.weight"},
    {"visual.blocks.#.ln1.bias", "visual.blocks.#.ln1.bias"},
    {"visual.blocks.#.qkv.weight", "visual.blocks.#.qkv.weight"},
    {"visual.blocks.#.qkv.bias", "visual.blocks.#.qkv.bias"},
    {"visual.blocks.#.out.weight", "visual.blocks.#.out.weight"},
    {"visual.blocks.#.out.bias", "visual.blocks.#.out.bias"},
    {"visual.blocks.#.ls1", "visual.blocks.#.ls1"},
    {"visual.blocks.#.ln2.weight", "visual.blocks.#.ln2.weight"},
    {"visual.blocks.#.ln2.bias", "visual.blocks.#.ln2.bias"},
    {"visual.blocks.#.fc1.weight", "visual.blocks.#.fc1.weight"},
    {"visual.blocks.#.fc1.bias", "visual.blocks.#.fc1.bias"},
    {"visual.blocks.#.fc2.weight", "visual.blocks.#.fc2.weight"},
    {"visual.blocks.#.fc2.bias", "visual.blocks.#.fc2.bias"},
    {"visual.blocks.#.ls2", "visual.blocks.#.ls2"},
    {"visual.pos_grid", "visual.pos_grid"},
    {"visual.blocks.#.rel_pos_h", "visual.blocks.#.rel_pos_h"},
    {"visual.blocks.#.rel_pos_w", "visual.blocks.#.rel_pos_w"},
    {"visual.neck.reduce", "visual.neck.reduce"},
    {"visual.neck.ln1.weight", "visual.neck.ln1.weight"},
    {"visual.neck.ln1.bias", "visual.neck.ln1.bias"},
    {"visual.neck.mix", "visual.neck.mix"},
    {"visual.neck.ln2.weight", "visual.neck.ln2.weight"},
    {"visual.neck.ln2.bias", "visual.neck.ln2.bias"},
    {"visual.ln_post.weight", "visual.ln_post.weight"},
    {"visual.ln_post.bias", "visual.ln_post.bias"},
    {"visual.proj", "visual.proj"},
    {"text.tokens", "text.tokens"},
    {"text.token_ids", "text.token_ids"},
    {"text.pos", "text.pos"},
    {"text.blocks.#.ln1.weight", "text.blocks.#.ln1.weight"},
    {"text.blocks.#.ln1.bias", "text.blocks.#.ln1.bias"},
    {"text.blocks.#.qkv.weight", "text.blocks.#.qkv.weight"},
    {"text.blocks.#.qkv.bias", "text.blocks.#.qkv.bias"},
    {"text.blocks.#.out.weight", "text.blocks.#.out.weight"},
    {"text.blocks.#.out.bias", "text.blocks.#.out.bias"},
    {"text.blocks.#.ls1", "text.blocks.#.ls1"},
    {"text.blocks.#.ln2.weight", "text.blocks.#.ln2.weight"},
    {"text.blocks.#.ln2.bias", "text.blocks.#.ln2.bias"},
    {"text.blocks.#.fc1.weight", "text.blocks.#.fc1.weight"},
    {"text.blocks.#.fc1.bias", "text.blocks.#.fc1.bias"},
    {"text.blocks.#.fc2.weight", "text.blocks.#.fc2.weight"},
    {"text.blocks.#.fc2.bias", "text.blocks.#.fc2.bias"},
    {"text.blocks.#.ls2", "text.blocks.#.ls2"},
    {"text.ln_final.weight", "text.ln_final.weight"},
    {"text.ln_final.bias", "text.ln_final.bias"},
    {"text.proj", "text.proj"},
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

const Family k_canonical_family = {"canonical", k_prefixes, k_rows, {}};

}  // namespace crane::weights
