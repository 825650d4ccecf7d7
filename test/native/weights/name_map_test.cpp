#include "weights/name_map.h"

#include <gtest/gtest.h>

#include "error_of.h"
#include "model_files.h"
#include "weights/recognise.h"

namespace crane::weights {
namespace {

std::vector<float> read(const CanonicalTensor& tensor) {
  std::vector<float> values(static_cast<size_t>(tensor.numel()));
  read_f32(tensor, values.data());
  return values;
}

std::vector<float> joined(const std::vector<std::string>& names, size_t each) {
  std::vector<float> all;
  for (const std::string& name : names) {
    const std::vector<float> part = recipe_values(name, each);
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

// The canonical tensor is the stored one, value for value.
void expect_same(const CanonicalWeights& weights, const std::string& canonical,
                 const std::vector<int64_t>& shape, const std::string& stored) {
  const CanonicalTensor& tensor = weights.at(canonical);
  EXPECT_EQ(tensor.shape, shape) << canonical;
  EXPECT_EQ(read(tensor), recipe_values(stored, static_cast<size_t>(tensor.numel()))) << canonical;
  EXPECT_EQ(tensor.stored_name(), stored);
}

void expect_transposed(const CanonicalWeights& weights, const std::string& canonical, int64_t rows,
                       int64_t columns, const std::string& stored) {
  const CanonicalTensor& tensor = weights.at(canonical);
  EXPECT_EQ(tensor.shape, (std::vector<int64_t>{rows, columns})) << canonical;
  const std::vector<float> source = recipe_values(stored, static_cast<size_t>(rows * columns));
  const std::vector<float> got = read(tensor);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) {
      ASSERT_EQ(got[static_cast<size_t>(r * columns + c)], source[static_cast<size_t>(c * rows + r)])
          << canonical;
    }
  }
}

TEST(NameMap, ReadsOpenAiClip) {
  const CanonicalWeights weights = canonicalise({model_file(openai_clip())});
  EXPECT_EQ(weights.family, "openai-clip");
  EXPECT_EQ(weights.tensors.size(), 8u + 5u + 2u * k_layers * 12u);
  expect_same(weights, "visual.patch.weight", {k_width, 3, k_patch, k_patch}, "visual.conv1.weight");
  expect_same(weights, "visual.pos", {10, k_width}, "visual.positional_embedding");
  expect_same(weights, "visual.proj", {k_width, k_joint}, "visual.proj");
  expect_same(weights, "visual.blocks.1.qkv.weight", {3 * k_width, k_width},
              "visual.transformer.resblocks.1.attn.in_proj_weight");
  expect_same(weights, "visual.blocks.0.fc2.bias", {k_width},
              "visual.transformer.resblocks.0.mlp.c_proj.bias");
  expect_same(weights, "text.tokens", {k_vocabulary, k_text_width}, "token_embedding.weight");
  expect_same(weights, "text.proj", {k_text_width, k_joint}, "text_projection");
  expect_same(weights, "text.blocks.1.ln2.bias", {k_text_width}, "transformer.resblocks.1.ln_2.bias");
  EXPECT_EQ(weights.find("visual.patch.bias"), nullptr);
}

TEST(NameMap, ReadsOpenClipWrappersAndItsOwnTextTower) {
  for (const char* prefix : {"module.", "model.", "state_dict.", "state_dict.module."}) {
    const CanonicalWeights weights = canonicalise({model_file(openai_clip(prefix))});
    EXPECT_EQ(weights.family, "open-clip");
    expect_same(weights, "text.pos", {k_context, k_text_width}, std::string(prefix) + "positional_embedding");
  }
  const CanonicalWeights custom = canonicalise({model_file(openai_clip("", "text."))});
  EXPECT_EQ(custom.family, "open-clip");
  expect_same(custom, "text.blocks.0.out.weight", {k_text_width, k_text_width},
              "text.transformer.resblocks.0.attn.out_proj.weight");
  std::vector<NamedShape> linear = openai_clip("", "text.");
  erase_name(linear, "text.text_projection");
  linear.push_back({"text.text_projection.weight", {k_joint, k_text_width}});
  expect_transposed(canonicalise({model_file(linear)}), "text.proj", k_text_width, k_joint,
                    "text.text_projection.weight");
}

TEST(NameMap, ReadsHfClipFromOneFileOrTwo) {
  std::vector<NamedShape> both = hf_clip_vision();
  for (const NamedShape& tensor : hf_clip_text()) both.push_back(tensor);
  both.push_back({"logit_scale", {}});
  const CanonicalWeights one = canonicalise({model_file(both)});
  const CanonicalWeights two =
      canonicalise({model_file(hf_clip_vision()), model_file(hf_clip_text("clip."))});
  EXPECT_EQ(one.family, "hf-clip");
  EXPECT_EQ(two.family, "hf-clip");
  EXPECT_EQ(one.tensors.size(), two.tensors.size());
  for (const auto& [name, tensor] : one.tensors) EXPECT_EQ(two.at(name).shape, tensor.shape) << name;

  expect_same(one, "visual.ln_pre.bias", {k_width}, "vision_model.pre_layrnorm.bias");
  expect_same(one, "visual.pos", {10, k_width}, "vision_model.embeddings.position_embedding.weight");
  expect_transposed(one, "visual.proj", k_width, k_joint, "visual_projection.weight");
  expect_transposed(one, "text.proj", k_text_width, k_joint, "text_projection.weight");
  const std::string attention = "text_model.encoder.layers.1.self_attn.";
  const CanonicalTensor& qkv = one.at("text.blocks.1.qkv.weight");
  EXPECT_EQ(qkv.shape, (std::vector<int64_t>{3 * k_text_width, k_text_width}));
  EXPECT_EQ(read(qkv),
            joined({attention + "q_proj.weight", attention + "k_proj.weight", attention + "v_proj.weight"},
                   k_text_width * k_text_width));
  EXPECT_EQ(read(one.at("text.blocks.1.qkv.bias")),
            joined({attention + "q_proj.bias", attention + "k_proj.bias", attention + "v_proj.bias"},
                   k_text_width));
}

TEST(NameMap, ReadsDinoV2WithAndWithoutRegistersAndDino) {
  const CanonicalWeights with = canonicalise({model_file(dinov2(4))});
  EXPECT_EQ(with.family, "dinov2");
  expect_same(with, "visual.cls", {k_width}, "cls_token");
  expect_same(with, "visual.pos", {10, k_width}, "pos_embed");
  expect_same(with, "visual.registers", {4, k_width}, "register_tokens");
  expect_same(with, "visual.blocks.1.ls2", {k_width}, "blocks.1.ls2.gamma");
  expect_same(with, "visual.ln_post.weight", {k_width}, "norm.weight");
  EXPECT_EQ(with.find("mask_token"), nullptr);
  EXPECT_EQ(canonicalise({model_file(dinov2(0))}).find("visual.registers"), nullptr);
  EXPECT_EQ(canonicalise({model_file(dinov2(0, false))}).find("visual.blocks.0.ls1"), nullptr);
}

TEST(NameMap, ReadsHfDinoV2) {
  for (const char* prefix : {"", "dinov2.", "dinov2_with_registers."}) {
    const CanonicalWeights weights = canonicalise({model_file(hf_dinov2(4, prefix))});
    EXPECT_EQ(weights.family, "hf-dinov2");
    const std::string p = prefix;
    expect_same(weights, "visual.registers", {4, k_width}, p + "embeddings.register_tokens");
    expect_same(weights, "visual.blocks.0.ls1", {k_width}, p + "encoder.layer.0.layer_scale1.lambda1");
    expect_same(weights, "visual.blocks.0.out.weight", {k_width, k_width},
                p + "encoder.layer.0.attention.output.dense.weight");
    const std::string attention = p + "encoder.layer.1.attention.attention.";
    EXPECT_EQ(read(weights.at("visual.blocks.1.qkv.weight")),
              joined({attention + "query.weight", attention + "key.weight", attention + "value.weight"},
                     k_width * k_width));
    // Both namings of DINOv2 mean the same tensors.
    const CanonicalWeights official = canonicalise({model_file(dinov2(4))});
    EXPECT_EQ(weights.tensors.size(), official.tensors.size());
    for (const auto& [name, tensor] : official.tensors)
      EXPECT_EQ(weights.at(name).shape, tensor.shape) << name;
  }
}

TEST(NameMap, ReadsPromptsWithAndWithoutTheLearnersName) {
  for (const char* prefix : {"", "prompt_learner."}) {
    const CanonicalWeights weights = canonicalise({model_file(prompt_learner(prefix))});
    EXPECT_EQ(weights.family, "prompts");
    expect_same(weights, "compound_prompts_text.2", {3, k_text_width},
                std::string(prefix) + "compound_prompts_text.2");
  }
}

TEST(NameMap, CanonicalNamesMeanThemselves) {
  const CanonicalWeights source = canonicalise({model_file(openai_clip())});
  std::vector<NamedShape> renamed;
  for (const auto& [name, tensor] : source.tensors) renamed.push_back({name, tensor.shape});
  for (const NamedShape& tensor : prompt_learner("")) renamed.push_back(tensor);
  const CanonicalWeights weights = canonicalise({model_file(renamed)});
  EXPECT_EQ(weights.family, "canonical");
  EXPECT_EQ(weights.tensors.size(), renamed.size());
}

TEST(NameMap, FamiliesOfSeveralFilesAreJoined) {
  const CanonicalWeights weights = canonicalise(
      {model_file(dinov2(0), "v"), model_file(hf_clip_text(), "t"), model_file(prompt_learner(), "p")});
  EXPECT_EQ(weights.family, "dinov2+hf-clip+prompts");
}

TEST(NameMap, UnknownNamesAreRefusedWithASample) {
  const Thrown thrown = thrown_by([] {
    canonicalise({model_file(
        {{"layer1.0.conv1.weight", {2}}, {"layer1.0.bn1.weight", {2}}, {"fc.weight", {2}}}, "resnet.pth")});
  });
  EXPECT_EQ(thrown.code, "E_WEIGHTS_NAMING");
  EXPECT_TRUE(contains(thrown.message, "resnet.pth")) << thrown.message;
  EXPECT_TRUE(contains(thrown.message, "\"layer1.0.conv1.weight\"")) << thrown.message;
  EXPECT_EQ(thrown_by([] { canonicalise({model_file({})}); }).code, "E_WEIGHTS_NAMING");
  // Only names that mean nothing to the model.
  EXPECT_EQ(thrown_by([] {
              canonicalise({model_file({{"logit_scale", {}}, {"mask_token", {1, 4}}})});
            }).code,
            "E_WEIGHTS_NAMING");
  // A single name in common does not make a model.
  EXPECT_EQ(thrown_by([] {
              canonicalise({model_file({{"cls_token", {4}}, {"a", {1}}, {"b", {1}}, {"c", {1}}})});
            }).code,
            "E_WEIGHTS_NAMING");
  EXPECT_EQ(naming_of(*model_file({{"fc.weight", {2}}})), "");
  EXPECT_EQ(naming_of(*model_file(hf_dinov2(0))), "hf-dinov2");
}

// C17: people save models within trainers, compiled modules and wrappers of their own.
TEST(NameMap, PrefixesAreFoundInTheFileItself) {
  for (const char* prefix :
       {"_orig_mod.", "clip_model.", "model_state_dict.", "state_dict.model.clip.", "net.0."}) {
    const CanonicalWeights weights = canonicalise({model_file(openai_clip(prefix))});
    expect_same(weights, "text.pos", {k_context, k_text_width}, std::string(prefix) + "positional_embedding");
    EXPECT_EQ(weights.tensors.size(), canonicalise({model_file(openai_clip())}).tensors.size());
    // What compiling adds may stand anywhere, so it is no prefix.
    const std::string found = recognise(*model_file(openai_clip(prefix))).prefix;
    EXPECT_EQ(found, std::string(prefix) == "_orig_mod." ? "" : prefix);
  }
  const CanonicalWeights prompts = canonicalise({model_file(prompt_learner("state_dict.prompt_learner."))});
  EXPECT_NE(prompts.find("ctx_neg"), nullptr);
  // A wrapper within the names, as compiled submodules have.
  std::vector<NamedShape> compiled = dinov2(0);
  for (auto& [name, shape] : compiled) {
    if (const size_t at = name.find(".norm1."); at != std::string::npos) name.insert(at + 1, "_orig_mod.");
  }
  EXPECT_EQ(canonicalise({model_file(compiled)}).tensors.size(),
            canonicalise({model_file(dinov2(0))}).tensors.size());
}

TEST(NameMap, WhatLiesBesideAPrefixIsNoPartOfTheModel) {
  std::vector<NamedShape> training = openai_clip("state_dict.module.");
  const size_t own = canonicalise({model_file(training)}).tensors.size();
  for (int i = 0; i < 300; ++i)
    training.push_back({"optimizer.state." + std::to_string(i) + ".exp_avg", {3}});
  const Recognised naming = recognise(*model_file(training));
  ASSERT_NE(naming.family, nullptr);
  EXPECT_EQ(naming.family->name, "open-clip");
  EXPECT_EQ(naming.prefix, "state_dict.module.");
  EXPECT_EQ(naming.beside, 300u);
  EXPECT_EQ(canonicalise({model_file(training)}).tensors.size(), own);
  // Within the model a stranger is still one.
  training.push_back({"state_dict.module.head.weight", {3}});
  const Thrown thrown = thrown_by([&] { canonicalise({model_file(training)}); });
  EXPECT_EQ(thrown.code, "E_WEIGHTS_EXTRA");
  EXPECT_TRUE(contains(thrown.message, "state_dict.module.head.weight")) << thrown.message;
}

TEST(NameMap, OfSeveralEqualModelsNoneIsTaken) {
  std::vector<NamedShape> two = dinov2(0);
  for (auto& [name, shape] : two) name.insert(0, "online.");
  for (const auto& [name, shape] : dinov2(0)) two.push_back({"momentum." + name, shape});
  const Thrown thrown = thrown_by([&] { canonicalise({model_file(two)}); });
  EXPECT_EQ(thrown.code, "E_WEIGHTS_NAMING");
  EXPECT_TRUE(contains(thrown.message, "\"momentum.\"") && contains(thrown.message, "\"online.\""))
      << thrown.message;
  EXPECT_EQ(naming_of(*model_file(two)), "");
  // But the authors' own wrapper counts before others.
  std::vector<NamedShape> teacher;
  for (const auto& [name, shape] : dinov2(0)) {
    teacher.push_back({"student.backbone." + name, shape});
    teacher.push_back({"teacher.backbone." + name, shape});
  }
  EXPECT_EQ(recognise(*model_file(teacher)).prefix, "teacher.backbone.");
}

TEST(NameMap, AFewNamesThatFitByChanceMakeNoModel) {
  const Recognised naming =
      recognise(*model_file({{"encoder.norm.weight", {2}}, {"encoder.norm.bias", {2}}}));
  EXPECT_EQ(naming.family, nullptr);
}

TEST(NameMap, AStrangerAmongKnownTensorsIsNamed) {
  for (const char* stranger :
       {"head.weight", "blocks.0.attn.extra", "blocks.01.norm1.weight", "blocks.#.norm1.weight",
        "blocks.99999.norm1.weight", "xblocks.0.norm1.weight", "blocks.0.norm1.weight.x", ""}) {
    std::vector<NamedShape> tensors = dinov2(0);
    tensors.push_back({stranger, {k_width}});
    const Thrown thrown = thrown_by([&] { canonicalise({model_file(tensors)}); });
    EXPECT_EQ(thrown.code, "E_WEIGHTS_EXTRA") << stranger;
    EXPECT_TRUE(contains(thrown.message, std::string("\"") + stranger + "\"")) << thrown.message;
  }
}

TEST(NameMap, TheSameTensorTwiceIsRefusedWithBothPlaces) {
  const Thrown thrown = thrown_by([] {
    canonicalise({model_file(dinov2(0), "a.pth"), model_file(hf_dinov2(0), "b.pth")});
  });
  EXPECT_EQ(thrown.code, "E_WEIGHTS_EXTRA");
  EXPECT_TRUE(contains(thrown.message, "a.pth") && contains(thrown.message, "b.pth")) << thrown.message;
  std::vector<NamedShape> two_spellings = hf_clip_vision();
  add_layer(two_spellings, "vision_model.pre_layernorm", {k_width});
  EXPECT_EQ(thrown_by([&] { canonicalise({model_file(two_spellings)}); }).code, "E_WEIGHTS_EXTRA");
}

TEST(NameMap, ALoneKeyWithoutQueryIsNamed) {
  std::vector<NamedShape> tensors = hf_clip_vision("clip.");
  const std::string query = "clip.vision_model.encoder.layers.1.self_attn.q_proj.bias";
  erase_name(tensors, query);
  const Thrown thrown = thrown_by([&] { canonicalise({model_file(tensors)}); });
  EXPECT_EQ(thrown.code, "E_WEIGHTS_MISSING");
  EXPECT_TRUE(contains(thrown.message, query)) << thrown.message;
}

TEST(NameMap, PartsThatDoNotFitTogetherAreNamed) {
  std::vector<NamedShape> tensors = hf_clip_vision();
  shape_of(tensors, "vision_model.encoder.layers.0.self_attn.k_proj.weight") = {k_width, 32};
  const Thrown thrown = thrown_by([&] { canonicalise({model_file(tensors)}); });
  EXPECT_EQ(thrown.code, "E_WEIGHTS_SHAPE");
  EXPECT_TRUE(contains(thrown.message, "k_proj.weight\" is [64, 32], expected [64, 64]")) << thrown.message;
  std::vector<NamedShape> batched = dinov2(0);
  shape_of(batched, "pos_embed") = {2, 5, k_width};
  EXPECT_EQ(thrown_by([&] { canonicalise({model_file(batched)}); }).code, "E_WEIGHTS_SHAPE");
}

TEST(NameMap, AMissingTensorIsCalledAsTheFileWouldCallIt) {
  struct Case {
    std::vector<NamedShape> tensors;
    const char* canonical;
    const char* stored;
  };
  const Case cases[] = {
      {openai_clip(), "visual.blocks.7.ln1.weight", "visual.transformer.resblocks.7.ln_1.weight"},
      {openai_clip("", "text."), "text.blocks.7.ln1.weight", "text.transformer.resblocks.7.ln_1.weight"},
      {openai_clip("module."), "text.blocks.7.ln1.weight", "module.transformer.resblocks.7.ln_1.weight"},
      {hf_clip_vision("clip."), "visual.blocks.7.fc1.bias",
       "clip.vision_model.encoder.layers.7.mlp.fc1.bias"},
      {hf_dinov2(0, "dinov2."), "visual.registers", "dinov2.embeddings.register_tokens"},
      {dinov2(0), "visual.registers", "register_tokens"},
      {prompt_learner(), "compound_prompts_text.9", "prompt_learner.compound_prompts_text.9"},
      {dinov2(0), "text.tokens", "text.tokens"},  // no such thing in that family
  };
  for (const Case& missing : cases) {
    const CanonicalWeights weights = canonicalise({model_file(missing.tensors, "some.pth")});
    const Thrown thrown = thrown_by([&] { weights.at(missing.canonical); });
    EXPECT_EQ(thrown.code, "E_WEIGHTS_MISSING");
    EXPECT_TRUE(contains(thrown.message, std::string("some.pth: tensor \"") + missing.stored + "\""))
        << thrown.message;
    EXPECT_TRUE(contains(thrown.message, missing.canonical)) << thrown.message;
  }
  const CanonicalWeights two =
      canonicalise({model_file(hf_clip_vision(), "v.pth"), model_file(hf_clip_text(), "t.pth")});
  EXPECT_TRUE(contains(thrown_by([&] { two.at("text.blocks.5.out.bias"); }).message, "t.pth: "));
  EXPECT_TRUE(contains(thrown_by([&] { two.at("visual.blocks.5.out.bias"); }).message, "v.pth: "));
}

TEST(NameMap, ValuesThatAreNotFiniteAreNamedWithFileAndIndex) {
  std::string bytes = model_bytes({{"ctx_pos", {1, 1, 2, 4}}, {"ctx_neg", {1, 1, 2, 4}}});
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::memcpy(bytes.data() + bytes.size() - 3 * sizeof(float), &nan, sizeof nan);
  const CanonicalWeights weights = canonicalise({open_bytes(bytes, "p.pth")});
  const Thrown thrown = thrown_by([&] { read(weights.at("ctx_neg")); });
  EXPECT_EQ(thrown.code, "E_WEIGHTS_NONFINITE");
  EXPECT_EQ(thrown.message, "p.pth: tensor \"ctx_neg\" [1, 1, 2, 4] is NaN at flat index 5");
  read(weights.at("ctx_pos"));
}

}  // namespace
}  // namespace crane::weights
