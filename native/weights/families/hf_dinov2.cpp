// DINOv2 as the transformers library names it, with and without registers.
#include "weights/family.h"

namespace crane::weights {

namespace {

constexpr std::string_view k_prefixes[] = {"", "dinov2.", "dinov2_with_registers."};

constexpr NameRow k_rows[] = {
    {"visual.patch.weight", "embeddings.patch_embeddings.projection.weight"},
    {"visual.patch.bias", "embeddings.patch_embeddings.projection.bias"},
    {.canonical = "visual.cls", .stored = "embeddings.cls_token", .rank = 1},
    {.canonical = "visual.pos", .stored = "embeddings.position_embeddings", .rank = 2},
    {.canonical = "visual.registers", .stored = "embeddings.register_tokens", .rank = 2},
    {"visual.blocks.#.ln1.weight", "encoder.layer.#.norm1.weight"},
    {"visual.blocks.#.ln1.bias", "encoder.layer.#.norm1.bias"},
    {.canonical = "visual.blocks.#.qkv.weight",
     .stored = "encoder.layer.#.attention.attention.query.weight",
     .part = 0,
     .parts = 3},
    {.canonical = "visual.blocks.#.qkv.weight",
     .stored = "encoder.layer.#.attention.attention.key.weight",
     .part = 1,
     .parts = 3},
    {.canonical = "visual.blocks.#.qkv.weight",
     .stored = "encoder.layer.#.attention.attention.value.weight",
     .part = 2,
     .parts = 3},
    {.canonical = "visual.blocks.#.qkv.bias",
     .stored = "encoder.layer.#.attention.attention.query.bias",
     .part = 0,
     .parts = 3},
    {.canonical = "visual.blocks.#.qkv.bias",
     .stored = "encoder.layer.#.attention.attention.key.bias",
     .part = 1,
     .parts = 3},
    {.canonical = "visual.blocks.#.qkv.bias",
     .stored = "encoder.layer.#.attention.attention.value.bias",
     .part = 2,
     .parts = 3},
    {"visual.blocks.#.out.weight", "encoder.layer.#.attention.output.dense.weight"},
    {"visual.blocks.#.out.bias", "encoder.layer.#.attention.output.dense.bias"},
    {"visual.blocks.#.ls1", "encoder.layer.#.layer_scale1.lambda1"},
    {"visual.blocks.#.ln2.weight", "encoder.layer.#.norm2.weight"},
    {"visual.blocks.#.ln2.bias", "encoder.layer.#.norm2.bias"},
    {"visual.blocks.#.fc1.weight", "encoder.layer.#.mlp.fc1.weight"},
    {"visual.blocks.#.fc1.bias", "encoder.layer.#.mlp.fc1.bias"},
    {"visual.blocks.#.fc2.weight", "encoder.layer.#.mlp.fc2.weight"},
    {"visual.blocks.#.fc2.bias", "encoder.layer.#.mlp.fc2.bias"},
    {"visual.blocks.#.ls2", "encoder.layer.#.layer_scale2.lambda1"},
    {"visual.ln_post.weight", "layernorm.weight"},
    {"visual.ln_post.bias", "layernorm.bias"},
};

constexpr std::string_view k_ignored[] = {"embeddings.mask_token"};

}  // namespace

const Family k_hf_dinov2_family = {"hf-dinov2", k_prefixes, k_rows, k_ignored};

}  // namespace crane::weights
