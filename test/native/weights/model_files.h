// Complete small models under any naming: safetensors in memory, each tensor filled by the recipe of synth.h
// with its own name, so that a value tells where it came from.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "forged_files.h"
#include "weights/synth.h"

namespace crane::weights {

using NamedShape = std::pair<std::string, std::vector<int64_t>>;

inline std::vector<float> recipe_values(const std::string& name, size_t count) {
  const SynthTensor tensor{
      .salt = "test", .name = name, .shape = {static_cast<int64_t>(count)}, .exponent = 0};
  std::vector<float> values(count);
  synth_values(tensor, 0, count, values.data());
  return values;
}

inline std::string model_bytes(const std::vector<NamedShape>& tensors) {
  std::string header = "{";
  std::string data;
  for (const auto& [name, shape] : tensors) {
    size_t count = 1;
    std::string sizes;
    for (const int64_t size : shape) {
      count *= static_cast<size_t>(size);
      sizes += (sizes.empty() ? "" : ",") + std::to_string(size);
    }
    const std::string begin = std::to_string(data.size());
    data += values_bytes(recipe_values(name, count));
    if (header != "{") header += ",";
    header.append("\"").append(name).append("\":{\"dtype\":\"F32\",\"shape\":[").append(sizes);
    header.append("],\"data_offsets\":[")
        .append(begin)
        .append(",")
        .append(std::to_string(data.size()))
        .append("]}");
  }
  header += "}";
  return forge_safetensors(header, data);
}

inline std::shared_ptr<const WeightFile> model_file(const std::vector<NamedShape>& tensors,
                                                    const std::string& path = "model.safetensors") {
  return open_bytes(model_bytes(tensors), path);
}

// The sizes all these models share.
inline constexpr int64_t k_width = 64;
inline constexpr int64_t k_text_width = 128;
inline constexpr int64_t k_joint = 48;
inline constexpr int64_t k_mlp = 96;
inline constexpr int64_t k_layers = 2;
inline constexpr int64_t k_patch = 2;
inline constexpr int64_t k_grid = 3;
inline constexpr int64_t k_context = 7;
inline constexpr int64_t k_vocabulary = 11;

// Both biased layers of one name: NAME.weight with the given shape, NAME.bias with its first size.
inline void add_layer(std::vector<NamedShape>& out, const std::string& name,
                      const std::vector<int64_t>& shape) {
  out.push_back({name + ".weight", shape});
  out.push_back({name + ".bias", {shape[0]}});
}

inline void add_clip_block(std::vector<NamedShape>& out, const std::string& block, int64_t w) {
  out.push_back({block + ".attn.in_proj_weight", {3 * w, w}});
  out.push_back({block + ".attn.in_proj_bias", {3 * w}});
  add_layer(out, block + ".attn.out_proj", {w, w});
  add_layer(out, block + ".ln_1", {w});
  add_layer(out, block + ".mlp.c_fc", {k_mlp, w});
  add_layer(out, block + ".mlp.c_proj", {w, k_mlp});
  add_layer(out, block + ".ln_2", {w});
}

// OpenAI's names with `prefix` before all and `text` before the text tower's.
inline std::vector<NamedShape> openai_clip(const std::string& prefix = "", const std::string& text = "") {
  std::vector<NamedShape> out;
  const std::string v = prefix + "visual.";
  const std::string t = prefix + text;
  out.push_back({v + "conv1.weight", {k_width, 3, k_patch, k_patch}});
  out.push_back({v + "class_embedding", {k_width}});
  out.push_back({v + "positional_embedding", {1 + k_grid * k_grid, k_width}});
  out.push_back({v + "proj", {k_width, k_joint}});
  add_layer(out, v + "ln_pre", {k_width});
  add_layer(out, v + "ln_post", {k_width});
  out.push_back({t + "token_embedding.weight", {k_vocabulary, k_text_width}});
  out.push_back({t + "positional_embedding", {k_context, k_text_width}});
  out.push_back({t + "text_projection", {k_text_width, k_joint}});
  add_layer(out, t + "ln_final", {k_text_width});
  out.push_back({prefix + "logit_scale", {}});
  for (int64_t n = 0; n < k_layers; ++n) {
    add_clip_block(out, v + "transformer.resblocks." + std::to_string(n), k_width);
    add_clip_block(out, t + "transformer.resblocks." + std::to_string(n), k_text_width);
  }
  return out;
}

inline void add_hf_clip_tower(std::vector<NamedShape>& out, const std::string& tower, int64_t w) {
  for (int64_t n = 0; n < k_layers; ++n) {
    const std::string block = tower + ".encoder.layers." + std::to_string(n);
    for (const char* part : {"k_proj", "v_proj", "q_proj", "out_proj"}) {
      add_layer(out, block + ".self_attn." + part, {w, w});
    }
    add_layer(out, block + ".layer_norm1", {w});
    add_layer(out, block + ".layer_norm2", {w});
    add_layer(out, block + ".mlp.fc1", {k_mlp, w});
    add_layer(out, block + ".mlp.fc2", {w, k_mlp});
  }
}

inline std::vector<NamedShape> hf_clip_vision(const std::string& prefix = "") {
  std::vector<NamedShape> out;
  const std::string v = prefix + "vision_model";
  out.push_back({v + ".embeddings.class_embedding", {k_width}});
  out.push_back({v + ".embeddings.patch_embedding.weight", {k_width, 3, k_patch, k_patch}});
  out.push_back({v + ".embeddings.position_embedding.weight", {1 + k_grid * k_grid, k_width}});
  out.push_back({v + ".embeddings.position_ids", {1, 1 + k_grid * k_grid}});
  add_layer(out, v + ".pre_layrnorm", {k_width});
  add_layer(out, v + ".post_layernorm", {k_width});
  out.push_back({prefix + "visual_projection.weight", {k_joint, k_width}});
  add_hf_clip_tower(out, v, k_width);
  return out;
}

inline std::vector<NamedShape> hf_clip_text(const std::string& prefix = "") {
  std::vector<NamedShape> out;
  const std::string t = prefix + "text_model";
  out.push_back({t + ".embeddings.token_embedding.weight", {k_vocabulary, k_text_width}});
  out.push_back({t + ".embeddings.position_embedding.weight", {k_context, k_text_width}});
  add_layer(out, t + ".final_layer_norm", {k_text_width});
  out.push_back({prefix + "text_projection.weight", {k_joint, k_text_width}});
  add_hf_clip_tower(out, t, k_text_width);
  return out;
}

inline std::vector<NamedShape> dinov2(int64_t registers, bool layer_scale = true,
                                      const std::string& prefix = "") {
  std::vector<NamedShape> out;
  const std::string p = prefix;
  out.push_back({p + "cls_token", {1, 1, k_width}});
  out.push_back({p + "pos_embed", {1, 1 + k_grid * k_grid, k_width}});
  if (registers > 0) out.push_back({p + "register_tokens", {1, registers, k_width}});
  if (layer_scale) out.push_back({p + "mask_token", {1, k_width}});
  add_layer(out, p + "patch_embed.proj", {k_width, 3, k_patch, k_patch});
  add_layer(out, p + "norm", {k_width});
  for (int64_t n = 0; n < k_layers; ++n) {
    const std::string block = p + "blocks." + std::to_string(n);
    add_layer(out, block + ".norm1", {k_width});
    add_layer(out, block + ".attn.qkv", {3 * k_width, k_width});
    add_layer(out, block + ".attn.proj", {k_width, k_width});
    add_layer(out, block + ".norm2", {k_width});
    add_layer(out, block + ".mlp.fc1", {k_mlp, k_width});
    add_layer(out, block + ".mlp.fc2", {k_width, k_mlp});
    if (layer_scale) {
      out.push_back({block + ".ls1.gamma", {k_width}});
      out.push_back({block + ".ls2.gamma", {k_width}});
    }
  }
  return out;
}

inline std::vector<NamedShape> hf_dinov2(int64_t registers, const std::string& prefix = "") {
  std::vector<NamedShape> out;
  const std::string e = prefix + "embeddings.";
  out.push_back({e + "cls_token", {1, 1, k_width}});
  out.push_back({e + "mask_token", {1, k_width}});
  if (registers > 0) out.push_back({e + "register_tokens", {1, registers, k_width}});
  out.push_back({e + "position_embeddings", {1, 1 + k_grid * k_grid, k_width}});
  add_layer(out, e + "patch_embeddings.projection", {k_width, 3, k_patch, k_patch});
  add_layer(out, prefix + "layernorm", {k_width});
  for (int64_t n = 0; n < k_layers; ++n) {
    const std::string block = prefix + "encoder.layer." + std::to_string(n);
    add_layer(out, block + ".norm1", {k_width});
    for (const char* part : {"query", "key", "value"}) {
      add_layer(out, block + ".attention.attention." + part, {k_width, k_width});
    }
    add_layer(out, block + ".attention.output.dense", {k_width, k_width});
    out.push_back({block + ".layer_scale1.lambda1", {k_width}});
    add_layer(out, block + ".norm2", {k_width});
    add_layer(out, block + ".mlp.fc1", {k_mlp, k_width});
    add_layer(out, block + ".mlp.fc2", {k_width, k_mlp});
    out.push_back({block + ".layer_scale2.lambda1", {k_width}});
  }
  return out;
}

// Two blocks: the first with windows of 4, the second with the whole grid of 8.
inline std::vector<NamedShape> sam(const std::string& prefix) {
  std::vector<NamedShape> out;
  out.push_back({prefix + "pos_embed", {1, 8, 8, k_width}});
  add_layer(out, prefix + "patch_embed.proj", {k_width, 3, k_patch, k_patch});
  for (int64_t n = 0; n < k_layers; ++n) {
    const std::string block = prefix + "blocks." + std::to_string(n);
    add_layer(out, block + ".norm1", {k_width});
    add_layer(out, block + ".attn.qkv", {3 * k_width, k_width});
    add_layer(out, block + ".attn.proj", {k_width, k_width});
    out.push_back({block + ".attn.rel_pos_h", {n == 0 ? 7 : 15, 64}});
    out.push_back({block + ".attn.rel_pos_w", {n == 0 ? 7 : 15, 64}});
    add_layer(out, block + ".norm2", {k_width});
    add_layer(out, block + ".mlp.lin1", {k_mlp, k_width});
    add_layer(out, block + ".mlp.lin2", {k_width, k_mlp});
  }
  out.push_back({prefix + "neck.0.weight", {32, k_width, 1, 1}});
  add_layer(out, prefix + "neck.1", {32});
  out.push_back({prefix + "neck.2.weight", {32, 32, 3, 3}});
  add_layer(out, prefix + "neck.3", {32});
  return out;
}

inline std::vector<NamedShape> prompt_learner(const std::string& prefix = "prompt_learner.") {
  std::vector<NamedShape> out;
  for (const char* side : {"pos", "neg"}) {
    out.push_back({prefix + "ctx_" + side, {1, 1, 3, k_text_width}});
    out.push_back({prefix + "token_prefix_" + side, {1, 1, 1, k_text_width}});
    out.push_back({prefix + "token_suffix_" + side, {1, 1, 3, k_text_width}});
  }
  for (int n = 0; n < 3; ++n)
    out.push_back({prefix + "compound_prompts_text." + std::to_string(n), {3, k_text_width}});
  return out;
}

inline void erase_name(std::vector<NamedShape>& tensors, const std::string& name) {
  std::erase_if(tensors, [&](const NamedShape& tensor) { return tensor.first == name; });
}

inline std::vector<int64_t>& shape_of(std::vector<NamedShape>& tensors, const std::string& name) {
  for (NamedShape& tensor : tensors) {
    if (tensor.first == name) return tensor.second;
  }
  throw std::logic_error("no tensor " + name);
}

}  // namespace crane::weights
