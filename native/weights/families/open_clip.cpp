// open_clip where it departs from OpenAI's names: wrappers of training (module.), the text tower of its own
// class (text.).
#include "weights/family.h"

namespace crane::weights {

namespace {

constexpr std::string_view k_prefixes[] = {"", "module.", "model.", "state_dict.", "state_dict.module."};

constexpr NameRow k_rows[] = {
    {"visual.patch.weight", "visual.conv1.weight"},
    {"visual.cls", "visual.class_embedding"},
    {"visual.pos", "visual.positional_embedding"},
    {"visual.ln_pre.weight", "visual.ln_pre.weight"},
    {"visual.ln_pre.bias", "visual.ln_pre.bias"},
    {"visual.blocks.#.qkv.weight", "visual.transformer.resblocks.#.attn.in_proj_weight"},
    {"visual.blocks.#.qkv.bias", "visual.transformer.resblocks.#.attn.in_proj_bias"},
    {"visual.blocks.#.out.weight", "visual.transformer.resblocks.#.attn.out_proj.weight"},
    {"visual.blocks.#.out.bias", "visual.transformer.resblocks.#.attn.out_proj.bias"},
    {"visual.blocks.#.ln1.weight", "visual.transformer.resblocks.#.ln_1.weight"},
    {"visual.blocks.#.ln1.bias", "visual.transformer.resblocks.#.ln_1.bias"},
    {"visual.blocks.#.ln2.weight", "visual.transformer.resblocks.#.ln_2.weight"},
    {"visual.blocks.#.ln2.bias", "visual.transformer.resblocks.#.ln_2.bias"},
    {"visual.blocks.#.fc1.weight", "visual.transformer.resblocks.#.mlp.c_fc.weight"},
    {"visual.blocks.#.fc1.bias", "visual.transformer.resblocks.#.mlp.c_fc.bias"},
    {"visual.blocks.#.fc2.weight", "visual.transformer.resblocks.#.mlp.c_proj.weight"},
    {"visual.blocks.#.fc2.bias", "visual.transformer.resblocks.#.mlp.c_proj.bias"},
    {"visual.ln_post.weight", "visual.ln_post.weight"},
    {"visual.ln_post.bias", "visual.ln_post.bias"},
    {"visual.proj", "visual.proj"},
    {"visual.blocks.#.ls1", "visual.transformer.resblocks.#.ls_1.gamma"},
    {"visual.blocks.#.ls2", "visual.transformer.resblocks.#.ls_2.gamma"},
    {"visual.patch.bias", "visual.conv1.bias"},
    {"text.tokens", "token_embedding.weight"},
    {"text.pos", "positional_embedding"},
    {"text.blocks.#.qkv.weight", "transformer.resblocks.#.attn.in_proj_weight"},
    {"text.blocks.#.qkv.bias", "transformer.resblocks.#.attn.in_proj_bias"},
    {"text.blocks.#.out.weight", "transformer.resblocks.#.attn.out_proj.weight"},
    {"text.blocks.#.out.bias", "transformer.resblocks.#.attn.out_proj.bias"},
    {"text.blocks.#.ln1.weight", "transformer.resblocks.#.ln_1.weight"},
    {"text.blocks.#.ln1.bias", "transformer.resblocks.#.ln_1.bias"},
    {"text.blocks.#.ln2.weight", "transformer.resblocks.#.ln_2.weight"},
    {"text.blocks.#.ln2.bias", "transformer.resblocks.#.ln_2.bias"},
    {"text.blocks.#.fc1.weight", "transformer.resblocks.#.mlp.c_fc.weight"},
    {"text.blocks.#.fc1.bias", "transformer.resblocks.#.mlp.c_fc.bias"},
    {"text.blocks.#.fc2.weight", "transformer.resblocks.#.mlp.c_proj.weight"},
    {"text.blocks.#.fc2.bias", "transformer.resblocks.#.mlp.c_proj.bias"},
    {"text.ln_final.weight", "ln_final.weight"},
    {"text.ln_final.bias", "ln_final.bias"},
    {"text.proj", "text_projection"},
    {"text.tokens", "text.token_embedding.weight"},
    {"text.pos", "text.positional_embedding"},
    {"text.blocks.#.qkv.weight", "text.transformer.resblocks.#.attn.in_proj_weight"},
    {"text.blocks.#.qkv.bias", "text.transformer.resblocks.#.attn.in_proj_bias"},
    {"text.blocks.#.out.weight", "text.transformer.resblocks.#.attn.out_proj.weight"},
    {"text.blocks.#.out.bias", "text.transformer.resblocks.#.attn.out_proj.bias"},
    {"text.blocks.#.ln1.weight", "text.transformer.resblocks.#.ln_1.weight"},
    {"text.blocks.#.ln1.bias", "text.transformer.resblocks.#.ln_1.bias"},
    {"text.blocks.#.ln2.weight", "text.transformer.resblocks.#.ln_2.weight"},
    {"text.blocks.#.ln2.bias", "text.transformer.resblocks.#.ln_2.bias"},
    {"text.blocks.#.fc1.weight", "text.transformer.resblocks.#.mlp.c_fc.weight"},
    {"text.blocks.#.fc1.bias", "text.transformer.resblocks.#.mlp.c_fc.bias"},
    {"text.blocks.#.fc2.weight", "text.transformer.resblocks.#.mlp.c_proj.weight"},
    {"text.blocks.#.fc2.bias", "text.transformer.resblocks.#.mlp.c_proj.bias"},
    {"text.ln_final.weight", "text.ln_final.weight"},
    {"text.ln_final.bias", "text.ln_final.bias"},
    {"text.proj", "text.text_projection"},
    {.canonical = "text.proj", .stored = "text.text_projection.weight", .transposed = true},
};

constexpr std::string_view k_ignored[] = {"logit_scale", "logit_bias", "input_resolution", "context_length",
                                          "vocab_size",  "attn_mask",  "text.attn_mask"};

}  // namespace

const Family k_open_clip_family = {"open-clip", k_prefixes, k_rows, k_ignored};

}  // namespace crane::weights
