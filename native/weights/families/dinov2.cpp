// DINOv2 with and without registers as released by its authors; DINO has the same names without LayerScale.
#include "weights/family.h"

namespace crane::weights {

namespace {

constexpr std::string_view k_prefixes[] = {"", "backbone.", "module.", "teacher.backbone."};

constexpr NameRow k_rows[] = {
    {"visual.patch.weight", "patch_embed.proj.weight"},
    {"visual.patch.bias", "patch_embed.proj.bias"},
    {.canonical = "visual.cls", .stored = "cls_token", .rank = 1},
    {.canonical = "visual.pos", .stored = "pos_embed", .rank = 2},
    {.canonical = "visual.registers", .stored = "register_tokens", .rank = 2},
    {"visual.blocks.#.ln1.weight", "blocks.#.norm1.weight"},
    {"visual.blocks.#.ln1.bias", "blocks.#.norm1.bias"},
    {"visual.blocks.#.qkv.weight", "blocks.#.attn.qkv.weight"},
    {"visual.blocks.#.qkv.bias", "blocks.#.attn.qkv.bias"},
    {"visual.blocks.#.out.weight", "blocks.#.attn.proj.weight"},
    {"visual.blocks.#.out.bias", "blocks.#.attn.proj.bias"},
    {"visual.blocks.#.ls1", "blocks.#.ls1.gamma"},
    {"visual.blocks.#.ln2.weight", "blocks.#.norm2.weight"},
    {"visual.blocks.#.ln2.bias", "blocks.#.norm2.bias"},
    {"visual.blocks.#.fc1.weight", "blocks.#.mlp.fc1.weight"},
    {"visual.blocks.#.fc1.bias", "blocks.#.mlp.fc1.bias"},
    {"visual.blocks.#.fc2.weight", "blocks.#.mlp.fc2.weight"},
    {"visual.blocks.#.fc2.bias", "blocks.#.mlp.fc2.bias"},
    {"visual.blocks.#.ls2", "blocks.#.ls2.gamma"},
    {"visual.ln_post.weight", "norm.weight"},
    {"visual.ln_post.bias", "norm.bias"},
};

constexpr std::string_view k_ignored[] = {"mask_token"};

}  // namespace

const Family k_dinov2_family = {"dinov2", k_prefixes, k_rows, k_ignored};

}  // namespace crane::weights
