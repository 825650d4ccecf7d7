#include "weights/structure.h"

#include <gtest/gtest.h>

#include "error_of.h"
#include "model_files.h"
#include "text/prompt_checkpoint.h"

namespace crane::weights {
namespace {

Structure structure_of(const std::vector<NamedShape>& tensors) {
  return check_structure(canonicalise({model_file(tensors, "m.pth")}));
}

TEST(Structure, ReadsEverySizeOfClipFromItsTensors) {
  const Structure structure = structure_of(openai_clip());
  ASSERT_TRUE(structure.vision && structure.text);
  const VisionStructure& vision = *structure.vision;
  EXPECT_EQ(vision.width, k_width);
  EXPECT_EQ(vision.layers, k_layers);
  EXPECT_EQ(vision.heads, 1);
  EXPECT_EQ(vision.patch, k_patch);
  EXPECT_EQ(vision.grid_side, k_grid);
  EXPECT_EQ(vision.registers, 0);
  EXPECT_EQ(vision.mlp_width, k_mlp);
  EXPECT_EQ(vision.joint_width, k_joint);
  EXPECT_TRUE(vision.has_ln_pre && vision.has_proj);
  EXPECT_FALSE(vision.has_patch_bias || vision.has_layer_scale);
  const TextStructure& text = *structure.text;
  EXPECT_EQ(text.width, k_text_width);
  EXPECT_EQ(text.heads, 2);
  EXPECT_EQ(text.layers, k_layers);
  EXPECT_EQ(text.context, k_context);
  EXPECT_EQ(text.token_rows, k_vocabulary);
  EXPECT_EQ(text.joint_width, k_joint);
  int64_t numel = 0;
  for (const auto& [name, shape] : openai_clip()) {
    int64_t product = name == "logit_scale" ? 0 : 1;
    for (const int64_t size : shape) product *= size;
    numel += product;
  }
  EXPECT_EQ(vision.parameters + text.parameters, numel);
}

TEST(Structure, ReadsDinoV2WithRegistersAndWithoutProjection) {
  const VisionStructure vision = *structure_of(dinov2(4)).vision;
  EXPECT_EQ(vision.registers, 4);
  EXPECT_EQ(vision.joint_width, k_width);
  EXPECT_TRUE(vision.has_patch_bias && vision.has_layer_scale);
  EXPECT_FALSE(vision.has_ln_pre || vision.has_proj);
  EXPECT_FALSE(structure_of(dinov2(0, false)).vision->has_layer_scale);
  EXPECT_EQ(structure_of(hf_dinov2(4)).vision->parameters, vision.parameters);
}

TEST(Structure, ReadsPromptsAgainstTheTextWidth) {
  const CanonicalWeights weights = canonicalise({model_file(prompt_learner(), "p.pth")});
  const text::PromptStructure prompts = text::check_prompts(weights, k_text_width);
  EXPECT_EQ(prompts.context_vectors, 3);
  EXPECT_EQ(prompts.deep_sets, 3);
  EXPECT_EQ(prompts.deep_tokens, 3);
  EXPECT_TRUE(prompts.has_token_rows);
  EXPECT_FALSE(prompts.has_token_ids);
  EXPECT_EQ(prompts.parameters, (2 * 3 + 3 * 3) * k_text_width);
  const Thrown thrown = thrown_by([&] { text::check_prompts(weights, 768); });
  EXPECT_EQ(thrown.code, "E_PROMPTS");
  EXPECT_TRUE(contains(thrown.message, "p.pth: tensor \"prompt_learner.ctx_pos\" is [1, 1, 3, 128]"))
      << thrown.message;
  EXPECT_TRUE(contains(thrown.message, "768")) << thrown.message;
}

// Every tensor of a model, left out or mis-shaped in turn, must be the one that is named (or the sizes that
// were read from it must be), unless the model is whole without it.
void expect_every_fault_named(const std::vector<NamedShape>& tensors,
                              const std::vector<std::string>& optional,
                              const std::vector<std::string>& anchors) {
  int missing = 0;
  int shaped = 0;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const std::string& name = tensors[i].first;
    const bool is_ignored =
        contains(name, "logit_scale") || contains(name, "mask_token") || contains(name, "position_ids");
    std::vector<NamedShape> without = tensors;
    without.erase(without.begin() + static_cast<ptrdiff_t>(i));
    const Thrown left_out = thrown_by([&] { structure_of(without); });
    if (is_ignored || std::find(optional.begin(), optional.end(), name) != optional.end()) {
      EXPECT_EQ(left_out.code, "") << name << ": " << left_out.message;
    } else {
      EXPECT_EQ(left_out.code, "E_WEIGHTS_MISSING") << name;
      EXPECT_TRUE(contains(left_out.message, name)) << name << ": " << left_out.message;
      ++missing;
    }
    if (is_ignored) continue;
    for (size_t axis = 0; axis < tensors[i].second.size(); ++axis) {
      std::vector<NamedShape> misshaped = tensors;
      misshaped[i].second[axis] += 5;
      const Thrown thrown = thrown_by([&] { structure_of(misshaped); });
      EXPECT_EQ(thrown.code, "E_WEIGHTS_SHAPE") << name << " axis " << axis << " " << thrown.message;
      const bool is_anchor = std::find(anchors.begin(), anchors.end(), name) != anchors.end();
      EXPECT_TRUE(is_anchor || contains(thrown.message, name)) << name << ": " << thrown.message;
      EXPECT_TRUE(contains(thrown.message, "m.pth") && contains(thrown.message, "expected"))
          << thrown.message;
      ++shaped;
    }
    std::vector<NamedShape> deeper = tensors;
    deeper[i].second.push_back(1);
    EXPECT_EQ(thrown_by([&] { structure_of(deeper); }).code, "E_WEIGHTS_SHAPE") << name;
  }
  std::printf("%d missing and %d mis-shaped tensors named\n", missing, shaped);
}

TEST(Structure, EveryFaultOfClipIsNamed) {
  std::vector<NamedShape> tensors = openai_clip();
  std::erase_if(tensors, [](const NamedShape& t) { return !t.first.starts_with("visual."); });
  erase_name(tensors, "visual.proj");
  expect_every_fault_named(tensors, {},
                           {"visual.conv1.weight", "visual.transformer.resblocks.0.mlp.c_fc.weight"});
}

TEST(Structure, EveryFaultOfTheTextTowerIsNamed) {
  std::vector<NamedShape> tensors = openai_clip();
  std::erase_if(tensors, [](const NamedShape& t) { return t.first.starts_with("visual."); });
  const Structure whole = structure_of(tensors);
  EXPECT_FALSE(whole.vision);
  // Vocabulary, context and joint width are free: any number of rows, or of columns of the projection, is
  // right.
  for (const char* name : {"token_embedding.weight", "positional_embedding"}) {
    std::vector<NamedShape> without = tensors;
    erase_name(without, name);
    EXPECT_TRUE(contains(thrown_by([&] { structure_of(without); }).message, name)) << name;
    std::vector<NamedShape> longer = tensors;
    shape_of(longer, name)[0] += 5;
    EXPECT_EQ(thrown_by([&] { structure_of(longer); }).code, "") << name;
    std::vector<NamedShape> wider = tensors;
    shape_of(wider, name)[1] += 5;
    EXPECT_EQ(thrown_by([&] { structure_of(wider); }).code, "E_WEIGHTS_SHAPE") << name;
  }
  int named = 0;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const std::string& name = tensors[i].first;
    if (!contains(name, "resblocks") && !contains(name, "ln_final")) continue;
    std::vector<NamedShape> without = tensors;
    without.erase(without.begin() + static_cast<ptrdiff_t>(i));
    const Thrown left_out = thrown_by([&] { structure_of(without); });
    EXPECT_EQ(left_out.code, "E_WEIGHTS_MISSING") << name;
    EXPECT_TRUE(contains(left_out.message, "\"" + name + "\"")) << left_out.message;
    ++named;
  }
  std::printf("%d missing tensors named\n", named);
}

TEST(Structure, EveryFaultOfHfClipIsNamed) {
  std::vector<NamedShape> tensors = hf_clip_vision();
  erase_name(tensors, "visual_projection.weight");
  expect_every_fault_named(
      tensors, {},
      {"vision_model.embeddings.patch_embedding.weight", "vision_model.encoder.layers.0.mlp.fc1.weight"});
}

TEST(Structure, EveryFaultOfDinoV2IsNamed) {
  expect_every_fault_named(dinov2(0), {"patch_embed.proj.bias"},
                           {"patch_embed.proj.weight", "blocks.0.mlp.fc1.weight"});
}

TEST(Structure, ReadsSamWithItsWindowsAndIgnoresItsOtherParts) {
  std::vector<NamedShape> tensors = sam("image_encoder.");
  tensors.push_back({"mask_decoder.output_hypernetworks_mlps.0.layers.1.weight", {2, 2}});
  tensors.push_back({"prompt_encoder.point_embeddings.0.weight", {1, 2}});
  const SamStructure encoder = *structure_of(tensors).sam;
  EXPECT_EQ(encoder.width, k_width);
  EXPECT_EQ(encoder.grid_side, 8);
  EXPECT_EQ(encoder.windows, (std::vector<int64_t>{4, 8}));
  EXPECT_EQ(encoder.out_channels, 32);
  EXPECT_EQ(encoder.parameters, structure_of(sam("")).sam->parameters);
}

TEST(Structure, EveryFaultOfSamIsNamed) {
  expect_every_fault_named(sam(""), {},
                           {"patch_embed.proj.weight", "blocks.0.mlp.lin1.weight", "neck.0.weight",
                            "pos_embed", "blocks.0.attn.rel_pos_h", "blocks.1.attn.rel_pos_h"});
}

TEST(Structure, AProjectionIsNamedInTheFilesOwnOrientation) {
  std::vector<NamedShape> tensors = hf_clip_vision();
  shape_of(tensors, "visual_projection.weight") = {k_joint, 65};
  EXPECT_EQ(thrown_by([&] { structure_of(tensors); }).message,
            "m.pth: tensor \"visual_projection.weight\" is [48, 65], expected [48, 64] "
            "(\"vision_model.embeddings.patch_embedding.weight\" is [64, 3, 2, 2])");
}

TEST(Structure, ABlockThatIsMissingIsNamed) {
  std::vector<NamedShape> tensors = dinov2(0);
  for (NamedShape& tensor : tensors) {
    if (tensor.first.starts_with("blocks.1.")) tensor.first.replace(7, 1, "2");
  }
  const Thrown thrown = thrown_by([&] { structure_of(tensors); });
  EXPECT_EQ(thrown.code, "E_WEIGHTS_MISSING");
  EXPECT_TRUE(contains(thrown.message, "\"blocks.1.norm1.weight\"")) << thrown.message;
  std::erase_if(tensors, [](const NamedShape& t) { return t.first.starts_with("blocks."); });
  EXPECT_TRUE(contains(thrown_by([&] { structure_of(tensors); }).message, "\"blocks.0.norm1.weight\""));
  std::vector<NamedShape> prompts = prompt_learner();
  erase_name(prompts, "prompt_learner.compound_prompts_text.1");
  EXPECT_TRUE(contains(thrown_by([&] { structure_of(prompts); }).message,
                       "\"prompt_learner.compound_prompts_text.1\""));
}

TEST(Structure, LayerScaleIsInAllBlocksOrInNone) {
  std::vector<NamedShape> tensors = dinov2(0);
  erase_name(tensors, "blocks.0.ls1.gamma");
  erase_name(tensors, "blocks.0.ls2.gamma");
  const Thrown thrown = thrown_by([&] { structure_of(tensors); });
  EXPECT_EQ(thrown.code, "E_WEIGHTS_MISSING");
  EXPECT_TRUE(contains(thrown.message, "\"blocks.0.ls1.gamma\"")) << thrown.message;
}

TEST(Structure, AWindowWithoutACentreIsRefused) {
  std::vector<NamedShape> tensors = sam("");
  shape_of(tensors, "blocks.0.attn.rel_pos_h")[0] = 8;
  shape_of(tensors, "blocks.0.attn.rel_pos_w")[0] = 8;
  const Thrown thrown = thrown_by([&] { structure_of(tensors); });
  EXPECT_EQ(thrown.code, "E_WEIGHTS_SHAPE");
  EXPECT_TRUE(contains(thrown.message, "\"blocks.0.attn.rel_pos_h\" is [8, 64]")) << thrown.message;
}

TEST(Structure, TowersMustShareTheJointWidth) {
  std::vector<NamedShape> tensors = openai_clip();
  shape_of(tensors, "text_projection") = {k_text_width, k_joint + 1};
  const Thrown thrown = thrown_by([&] { structure_of(tensors); });
  EXPECT_EQ(thrown.code, "E_WEIGHTS_SHAPE");
  EXPECT_TRUE(contains(thrown.message, "\"text_projection\"") && contains(thrown.message, "49"))
      << thrown.message;
}

TEST(Structure, WidthsMustBeMultiplesOfTheHeadWidth) {
  std::vector<NamedShape> tensors = {{"visual.conv1.weight", {100, 3, 2, 2}},
                                     {"visual.class_embedding", {100}}};
  const Thrown thrown = thrown_by([&] { structure_of(tensors); });
  EXPECT_EQ(thrown.code, "E_WEIGHTS_SHAPE");
  EXPECT_TRUE(contains(thrown.message, "[100, 3, 2, 2]") && contains(thrown.message, "64")) << thrown.message;
}

TEST(Structure, EveryFaultOfPromptsIsCoded) {
  const std::vector<NamedShape> tensors = prompt_learner();
  for (size_t i = 0; i < tensors.size(); ++i) {
    std::vector<NamedShape> without = tensors;
    without.erase(without.begin() + static_cast<ptrdiff_t>(i));
    const Thrown left_out = thrown_by([&] { structure_of(without); });
    const bool last_deep = contains(tensors[i].first, "compound_prompts_text.2");
    EXPECT_EQ(left_out.code, last_deep ? "" : "E_WEIGHTS_MISSING") << tensors[i].first;
    for (size_t axis = 0; axis < tensors[i].second.size(); ++axis) {
      std::vector<NamedShape> misshaped = tensors;
      misshaped[i].second[axis] += 5;
      EXPECT_EQ(thrown_by([&] { structure_of(misshaped); }).code, "E_WEIGHTS_SHAPE")
          << tensors[i].first << axis;
    }
  }
}

// Behind the context rows stand the words of a text, and the end that it is read at.
TEST(Structure, DeepTokensBeyondTheContextRowsAreRefused) {
  std::vector<NamedShape> tensors = prompt_learner();  // as many as context rows
  EXPECT_EQ(thrown_by([&] { structure_of(tensors); }).code, "");
  for (auto& [name, shape] : tensors) {
    if (contains(name, "compound_prompts_text.")) ++shape[0];
  }
  EXPECT_EQ(thrown_by([&] { structure_of(tensors); }).code, "E_PROMPTS");
}

TEST(Structure, WholeNumbersWhereWeightsAreExpectedAreRefused) {
  std::string bytes = model_bytes(prompt_learner());
  const size_t at = bytes.find("\"F32\"", bytes.find("ctx_neg"));
  bytes.replace(at, 5, "\"I32\"");
  const Thrown thrown = thrown_by([&] { check_structure(canonicalise({open_bytes(bytes)})); });
  EXPECT_EQ(thrown.code, "E_WEIGHTS_DTYPE");
  EXPECT_TRUE(contains(thrown.message, "ctx_neg")) << thrown.message;
}

}  // namespace
}  // namespace crane::weights
