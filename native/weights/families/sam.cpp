// SAM's image encoder as released by its authors; the parts for prompting and mask decoding are not needed.
#include "weights/family.h"

namespace crane::weights {

namespace {

// "image_encoder." stands in the rows and not here, because the whole model has names without it as well.
constexpr std::string_view k_prefixes[] = {""};

constexpr NameRow k_rows[] = {
    {"visual.patch.weight", "image_encoder.patch_embed.proj.weight"},
    {"visual.patch.bias", "image_encoder.patch_embed.proj.bias"},
    {.canonical = "visual.pos_grid", .stored = "image_encoder.pos_embed", .rank = 3},
    {"visual.blocks.#.ln1.weight", "image_encoder.blocks.#.norm1.weight"},
    {"visual.blocks.#.ln1.bias", "image_encoder.blocks.#.norm1.bias"},
    {"visual.blocks.#.qkv.weight", "image_encoder.blocks.#.attn.qkv.weight"},
    {"visual.blocks.#.qkv.bias", "image_encoder.blocks.#.attn.qkv.bias"},
    {"visual.blocks.#.out.weight", "image_encoder.blocks.#.attn.proj.weight"},
    {"visual.blocks.#.out.bias", "image_encoder.blocks.#.attn.proj.bias"},
    {"visual.blocks.#.ln2.weight", "image_encoder.blocks.#.norm2.weight"},
    {"visual.blocks.#.ln2.bias", "image_encoder.blocks.#.norm2.bias"},
    {"visual.blocks.#.fc1.weight", "image_encoder.blocks.#.mlp.lin1.weight"},
    {"visual.blocks.#.fc1.bias", "image_encoder.blocks.#.mlp.lin1.bias"},
    {"visual.blocks.#.fc2.weight", "image_encoder.blocks.#.mlp.lin2.weight"},
    {"visual.blocks.#.fc2.bias", "image_encoder.blocks.#.mlp.lin2.bias"},
    {"visual.blocks.#.rel_pos_h", "image_encoder.blocks.#.attn.rel_pos_h"},
    {"visual.blocks.#.rel_pos_w", "image_encoder.blocks.#.attn.rel_pos_w"},
    {"visual.neck.reduce", "image_encoder.neck.0.weight"},
    {"visual.neck.ln1.weight", "image_encoder.neck.1.weight"},
    {"visual.neck.ln1.bias", "image_encoder.neck.1.bias"},
    {"visual.neck.mix", "image_encoder.neck.2.weight"},
    {"visual.neck.ln2.weight", "image_encoder.neck.3.weight"},
    {"visual.neck.ln2.bias", "image_encoder.neck.3.bias"},
    {"visual.patch.weight", "patch_embed.proj.weight"},
    {"visual.patch.bias", "patch_embed.proj.bias"},
    {.canonical = "visual.pos_grid", .stored = "pos_embed", .rank = 3},
    {"visual.blocks.#.ln1.weight", "blocks.#.norm1.weight"},
    {"visual.blocks.#.ln1.bias", "blocks.#.norm1.bias"},
    {"visual.blocks.#.qkv.weight", "blocks.#.attn.qkv.weight"},
    {"visual.blocks.#.qkv.bias", "blocks.#.attn.qkv.bias"},
    {"visual.blocks.#.out.weight", "blocks.#.attn.proj.weight"},
    {"visual.blocks.#.out.bias", "blocks.#.attn.proj.bias"},
    {"visual.blocks.#.ln2.weight", "blocks.#.norm2.weight"},
    {"visual.blocks.#.ln2.bias", "blocks.#.norm2.bias"},
    {"visual.blocks.#.fc1.weight", "blocks.#.mlp.lin1.weight"},
    {"visual.blocks.#.fc1.bias", "blocks.#.mlp.lin1.bias"},
    {"visual.blocks.#.fc2.weight", "blocks.#.mlp.lin2.weight"},
    {"visual.blocks.#.fc2.bias", "blocks.#.mlp.lin2.bias"},
    {"visual.blocks.#.rel_pos_h", "blocks.#.attn.rel_pos_h"},
    {"visual.blocks.#.rel_pos_w", "blocks.#.attn.rel_pos_w"},
    {"visual.neck.reduce", "neck.0.weight"},
    {"visual.neck.ln1.weight", "neck.1.weight"},
    {"visual.neck.ln1.bias", "neck.1.bias"},
    {"visual.neck.mix", "neck.2.weight"},
    {"visual.neck.ln2.weight", "neck.3.weight"},
    {"visual.neck.ln2.bias", "neck.3.bias"},
};

constexpr std::string_view k_ignored[] = {"prompt_encoder.*", "mask_decoder.*"};

}  // namespace

const Family k_sam_family = {"sam", k_prefixes, k_rows, k_ignored};

}  // namespace crane::weights
