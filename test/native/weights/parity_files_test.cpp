// The files that users have: OpenAI's archive form, the authors' checkpoints, released DINOv2 names.
#include <gtest/gtest.h>

#include "error_of.h"
#include "parity_data.h"
#include "text/prompt_checkpoint.h"
#include "weights/convert.h"
#include "weights/name_map.h"
#include "weights/structure.h"

namespace crane::weights {
namespace {

// Sum and first values of a tensor as the fixture's index lists them.
void expect_values(const TensorView& view, double sum, const std::vector<JsonValue>& firsts) {
  const auto count = static_cast<size_t>(view.numel());
  std::vector<double> values(count);
  if (is_floating(view.dtype)) {
    std::vector<float> floats(count);
    copy_as_f32(view, floats.data());
    values.assign(floats.begin(), floats.end());
  } else {
    std::vector<int32_t> integers(count);
    copy_as_i32(view, integers.data());
    values.assign(integers.begin(), integers.end());
  }
  double total = 0;
  for (const double value : values) total += value;
  EXPECT_NEAR(total, sum, 1e-9 * static_cast<double>(count)) << view.name;  // the order of summation differs
  for (size_t i = 0; i < firsts.size(); ++i) {
    EXPECT_EQ(static_cast<float>(values[i]), static_cast<float>(*firsts[i].as_double()))
        << view.name << " " << i;
  }
}

void expect_recipe_file(const std::string& file_name, const char* set, const char* group,
                        const std::string& prefix) {
  if (!has_fixture(file_name) || !has_fixture("toy/recipe.json")) return;
  const JsonValue recipe = fixture_json("toy/recipe.json");
  const auto file = open_weights(fixture(file_name));
  size_t compared = 0;
  for (const JsonValue& row : recipe.find(set)->find(group)->find("tensors")->items) {
    const std::string name = prefix + row.items[0].text;
    const TensorView* view = file->find(name);
    ASSERT_NE(view, nullptr) << file_name << " " << name;
    if (name == "token_embedding.weight" && view->shape[0] != *row.items[1].items[0].as_integer())
      continue;  // cut
    std::vector<int64_t> shape;
    for (const JsonValue& size : row.items[1].items) shape.push_back(*size.as_integer());
    EXPECT_EQ(view->shape, shape) << name;
    expect_values(*view, *row.items[5].as_double(), row.items[6].items);
    ++compared;
  }
  file->verify_checksums();
  std::printf("%s: %zu tensors compared\n", file_name.c_str(), compared);
}

TEST(ParityFiles, TheTorchScriptArchiveHoldsTheRecipesValues) {
  expect_recipe_file("toy/clip_archive.pt", "archive", "clip", "");
}

TEST(ParityFiles, TheVisionFilesHoldTheRecipesValues) {
  expect_recipe_file("toy/dinov2.safetensors", "main", "dinov2", "");
  expect_recipe_file("toy/dinov2_noreg.safetensors", "main", "dinov2_noreg", "");
  expect_recipe_file("toy/dino.safetensors", "main", "dino", "");
  expect_recipe_file("toy/sam.safetensors", "main", "sam", "image_encoder.");
}

TEST(ParityFiles, ThePromptFilesHoldTheRecipesValues) {
  expect_recipe_file("toy/prompts_toy.pth", "main", "prompt", "prompt_learner.");
  expect_recipe_file("toy/prompts_archive.pth", "archive", "prompt", "prompt_learner.");
}

TEST(ParityFiles, TheArchiveIsACompleteClip) {
  if (!has_fixture("toy/clip_archive.pt")) return;
  const auto file = open_weights(fixture("toy/clip_archive.pt"));
  EXPECT_STREQ(file->container(), "torchscript");
  const CanonicalWeights weights = canonicalise({file});
  EXPECT_EQ(weights.family, "openai-clip");
  const Structure structure = check_structure(weights);
  EXPECT_EQ(structure.vision->width, 64);
  EXPECT_EQ(structure.vision->layers, 24);
  EXPECT_EQ(structure.vision->patch, 14);
  EXPECT_EQ(structure.vision->grid_side, 4);
  EXPECT_EQ(structure.text->layers, 9);
  EXPECT_EQ(structure.text->context, 77);
  EXPECT_EQ(structure.vision->joint_width, structure.text->joint_width);
  verify_weights(file);
}

TEST(ParityFiles, DinoV2FilesShowRegistersAndGrid) {
  if (!has_fixture("toy/dinov2.safetensors")) return;
  const VisionStructure vision =
      check_vision(canonicalise({open_weights(fixture("toy/dinov2.safetensors"))}));
  EXPECT_EQ(vision.width, 128);
  EXPECT_EQ(vision.heads, 2);
  EXPECT_EQ(vision.layers, 2);
  EXPECT_EQ(vision.registers, 4);
  EXPECT_EQ(vision.grid_side, 37);
}

TEST(ParityFiles, SamFilesShowTheirWindows) {
  if (!has_fixture("toy/sam.safetensors")) return;
  const SamStructure sam = check_sam(canonicalise({open_weights(fixture("toy/sam.safetensors"))}));
  EXPECT_EQ(sam.width, 64);
  EXPECT_EQ(sam.patch, 16);
  EXPECT_EQ(sam.grid_side, 64);
  EXPECT_EQ(sam.windows, (std::vector<int64_t>{14, 64, 14}));
  EXPECT_EQ(sam.out_channels, 32);
}

TEST(ParityFiles, TheAuthorsCheckpointsFromAGpuAreRead) {
  if (!has_fixture("prompts/index.json")) return;
  const JsonValue index = fixture_json("prompts/index.json");
  size_t files = 0;
  for (const auto& [file_name, tensors] : index.members) {
    if (!has_fixture("prompts/" + file_name)) continue;
    const auto file = open_weights(fixture("prompts/" + file_name));
    EXPECT_STREQ(file->container(), "torch-zip");
    EXPECT_EQ(file->tensors().size(), tensors.members.size());
    for (const auto& [name, row] : tensors.members) {
      const TensorView* view = file->find("prompt_learner." + name);
      ASSERT_NE(view, nullptr) << name;
      expect_values(*view, *row.find("sum_float64")->as_double(), row.find("first3")->items);
    }
    const text::PromptStructure prompts = text::check_prompts(canonicalise({file}), 768);
    EXPECT_EQ(prompts.context_vectors, 12);
    EXPECT_EQ(prompts.deep_sets, 8);
    EXPECT_EQ(prompts.deep_tokens, 4);
    EXPECT_TRUE(prompts.has_token_ids && prompts.has_token_rows);
    verify_weights(file);
    ++files;
  }
  EXPECT_GT(files, 0u);
  std::printf("%zu checkpoints compared\n", files);
}

}  // namespace
}  // namespace crane::weights
