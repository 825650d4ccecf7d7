#include "weights/synth.h"

#include <gtest/gtest.h>

#include "error_of.h"
#include "forged_files.h"
#include "model_files.h"
#include "parity_data.h"
#include "scratch_folder.h"
#include "weights/half.h"
#include "weights/structure.h"

namespace crane::weights {
namespace {

TEST(Synth, GivesTheTestValuesOfTheRecipe) {
  EXPECT_EQ(synth_seed("toyA", "visual.proj"), 0xcbe1534du);
  const SynthTensor tensor{.salt = "toyA", .name = "visual.proj", .shape = {2, 3}, .exponent = 3};
  float values[6];
  synth_values(tensor, 0, 6, values);
  const int levels[] = {997, 95, -603, 529, 709, -59};
  for (int i = 0; i < 6; ++i) EXPECT_EQ(values[i], static_cast<float>(levels[i]) / 8192.0f);
  EXPECT_EQ(values[0], 0.1217041015625f);
}

TEST(Synth, PiecesEqualTheWhole) {
  const SynthTensor tensor{.salt = "s", .name = "t", .shape = {1000}, .exponent = 2, .base = 1};
  std::vector<float> whole(1000);
  synth_values(tensor, 0, 1000, whole.data());
  for (size_t first = 0; first < 1000; first += 37) {
    const size_t count = std::min<size_t>(37, 1000 - first);
    std::vector<float> piece(count);
    synth_values(tensor, first, count, piece.data());
    for (size_t i = 0; i < count; ++i) ASSERT_EQ(piece[i], whole[first + i]);
  }
  // The index counts modulo 2^32.
  float wrapped = 0;
  synth_values(tensor, uint64_t{1} << 32, 1, &wrapped);
  EXPECT_EQ(wrapped, whole[0]);
}

// One row [name, shape, e, base, ..., sum, first values] of recipe.json or index.json.
void expect_recipe_row(const std::string& salt, const JsonValue& row, size_t sum_column, uint64_t* compared) {
  if (row.kind != JsonValue::Kind::array) return;  // the constant logit_scale of index.json
  SynthTensor tensor{.salt = salt, .name = row.items[0].text, .shape = {}};
  size_t count = 1;
  for (const JsonValue& size : row.items[1].items) {
    tensor.shape.push_back(*size.as_integer());
    count *= static_cast<size_t>(*size.as_integer());
  }
  if (row.items[2].kind == JsonValue::Kind::number)
    tensor.exponent = static_cast<int>(*row.items[2].as_integer());
  tensor.base = *row.items[3].as_double();
  std::vector<float> piece(1 << 16);
  double sum = 0;
  for (size_t first = 0; first < count; first += piece.size()) {
    const size_t size = std::min(piece.size(), count - first);
    synth_values(tensor, first, size, piece.data());
    for (size_t i = 0; i < size; ++i) sum += piece[i];
    if (first > 0) continue;
    const std::vector<JsonValue>& firsts = row.items[sum_column + 1].items;
    for (size_t i = 0; i < firsts.size(); ++i) {
      ASSERT_EQ(piece[i], static_cast<float>(*firsts[i].as_double()))
          << salt << ":" << tensor.name << " " << i;
    }
  }
  // All values are multiples of one power of two, so their sum in double is exact.
  const double expected = *row.items[sum_column].as_double();
  ASSERT_EQ(tensor.exponent ? sum : static_cast<float>(sum),
            tensor.exponent ? expected : static_cast<float>(expected))
      << salt << ":" << tensor.name;
  *compared += count;
}

TEST(Synth, EqualsEveryTensorOfTheToyRecipe) {
  if (!has_fixture("toy/recipe.json")) return;
  const JsonValue recipe = fixture_json("toy/recipe.json");
  uint64_t compared = 0;
  int tensors = 0;
  for (const char* set : {"main", "archive"}) {
    for (const auto& [group, content] : recipe.find(set)->members) {
      for (const JsonValue& row : content.find("tensors")->items) {
        expect_recipe_row(content.find("salt")->text, row, 5, &compared);
        ++tensors;
      }
    }
  }
  EXPECT_GT(tensors, 500);
  std::printf("%d tensors, %llu values\n", tensors, static_cast<unsigned long long>(compared));
}

TEST(Synth, EqualsEveryTensorOfTheFullSizeIndex) {
  if (!has_fixture("full/index.json")) return;
  const JsonValue index = fixture_json("full/index.json");
  uint64_t compared = 0;
  for (const char* group : {"clip", "dinov2", "prompt"}) {
    const JsonValue& content = *index.find(group);
    for (const JsonValue& row : content.find("tensors")->items) {
      expect_recipe_row(content.find("salt")->text, row, 4, &compared);
    }
  }
  EXPECT_GT(compared, 500'000'000u);
  std::printf("%llu values\n", static_cast<unsigned long long>(compared));
}

TEST(Synth, WritesAFileThatHoldsTheValuesInEachType) {
  const ScratchFolder folder;
  const std::string path = folder.file("s.safetensors");
  const std::vector<SynthTensor> tensors = {
      {.salt = "s", .name = "h", .shape = {300, 301}, .exponent = 4, .dtype = DType::f16},
      {.salt = "s", .name = "f", .shape = {5}, .exponent = 2, .base = 1},
      {.salt = "s", .name = "i", .shape = {}, .base = 77, .dtype = DType::i32},
      {.salt = "s", .name = "e", .shape = {0, 4}, .exponent = 2},
      {.salt = "s", .name = "p", .shape = {3, 6}, .exponent = 5, .column_from = 4, .column_scale = 0.0625},
  };
  uint64_t last_done = 0;
  write_synth(path, tensors, {{"recipe", "yes"}}, [&](uint64_t done, uint64_t total) {
    EXPECT_GE(done, last_done);
    EXPECT_EQ(total, 300u * 301u + 5u + 1u + 18u);
    last_done = done;
  });
  EXPECT_EQ(last_done, 300u * 301u + 5u + 1u + 18u);
  const auto file = open_weights(path);
  EXPECT_EQ(file->metadata().at("recipe"), "yes");
  std::vector<float> expected(300 * 301);
  std::vector<float> got(300 * 301);
  for (const SynthTensor& tensor : tensors) {
    const TensorView* view = file->find(tensor.name);
    ASSERT_NE(view, nullptr);
    EXPECT_EQ(view->dtype, tensor.dtype);
    EXPECT_EQ(view->shape, tensor.shape);
    if (tensor.dtype == DType::i32) continue;
    const auto count = static_cast<size_t>(view->numel());
    synth_values(tensor, 0, count, expected.data());
    copy_as_f32(*view, got.data());
    for (size_t i = 0; i < count; ++i)
      ASSERT_EQ(got[i], expected[i]) << tensor.name << i;  // also exact in f16
  }
  int32_t whole = 0;
  copy_as_i32(*file->find("i"), &whole);
  EXPECT_EQ(whole, 77);
}

TEST(Synth, TensorsInMemoryEqualThoseOfAFile) {
  const ScratchFolder folder;
  std::vector<int32_t> ids(40'000);  // more than are written at a time
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int32_t>(i) - 7;
  ids[1] = 1 << 24;
  ids[2] = -(1 << 24);
  const std::vector<SynthTensor> tensors = {
      {.salt = "s", .name = "several.pieces", .shape = {300, 301}, .exponent = 4},
      {.salt = "s", .name = "half", .shape = {7, 3}, .exponent = 2, .dtype = DType::f16},
      {.salt = "s", .name = "constant", .shape = {5}, .base = 1},
      {.salt = "s", .name = "ids", .shape = {100, 400}, .dtype = DType::i32, .values = ids},
      {.salt = "s", .name = "empty", .shape = {0, 4}, .exponent = 2},
  };
  write_synth(folder.file("s"), tensors, {});
  const auto stored = open_weights(folder.file("s"));
  const auto made = synth_file("a recipe", tensors);
  EXPECT_EQ(made->path(), "a recipe");
  EXPECT_STREQ(made->container(), "recipe");
  made->verify_checksums();
  ASSERT_EQ(made->tensors().size(), tensors.size());
  for (const TensorView& view : made->tensors()) {
    const TensorView* other = stored->find(view.name);
    ASSERT_NE(other, nullptr) << view.name;
    EXPECT_EQ(view.dtype, other->dtype) << view.name;
    ASSERT_EQ(view.shape, other->shape) << view.name;
    EXPECT_TRUE(std::equal(view.data, view.data + view.bytes(), other->data)) << view.name;
  }
  std::vector<int32_t> got(ids.size());
  copy_as_i32(*made->find("ids"), got.data());
  EXPECT_EQ(got, ids);
}

// A model whose text tower is described and not stored: the engine reads both the same way.
TEST(Synth, ATowerInMemoryCompletesAStoredOne) {
  std::vector<SynthTensor> text;
  for (const auto& [name, shape] : openai_clip()) {
    if (!name.starts_with("visual."))
      text.push_back({.salt = "s", .name = name, .shape = shape, .exponent = 4});
  }
  std::vector<NamedShape> vision = openai_clip();
  std::erase_if(vision, [](const NamedShape& tensor) { return !tensor.first.starts_with("visual."); });
  const CanonicalWeights weights = canonicalise({model_file(vision), synth_file("the recipe", text)});
  const Structure structure = check_structure(weights);
  ASSERT_TRUE(structure.vision && structure.text);
  EXPECT_EQ(structure.text->width, k_text_width);
  const CanonicalTensor& proj = weights.at("text.proj");
  EXPECT_EQ(proj.where(), "the recipe: tensor \"text_projection\"");
  std::vector<float> got(static_cast<size_t>(proj.numel()));
  std::vector<float> expected(got.size());
  read_f32(proj, got.data());
  synth_values({.salt = "s", .name = "text_projection", .exponent = 4}, 0, expected.size(), expected.data());
  EXPECT_EQ(got, expected);
}

TEST(Synth, ColumnsAreScaledAfterTheRecipe) {
  SynthTensor tensor{.salt = "s", .name = "p", .shape = {4, 6}, .exponent = 5};
  std::vector<float> plain(24);
  synth_values(tensor, 0, 24, plain.data());
  tensor.column_from = 4;
  tensor.column_scale = 1.0 / 16;
  std::vector<float> scaled(24);
  synth_values(tensor, 0, 13, scaled.data());
  synth_values(tensor, 13, 11, scaled.data() + 13);
  for (size_t i = 0; i < 24; ++i) EXPECT_EQ(scaled[i], i % 6 >= 4 ? plain[i] / 16 : plain[i]) << i;
}

TEST(Synth, TensorsTheRecipeCannotMakeAreRefused) {
  const ScratchFolder folder;
  const auto code = [&](const SynthTensor& tensor) {
    return thrown_by([&] { write_synth(folder.file("s"), {tensor}, {}); }).code;
  };
  EXPECT_EQ(code({.salt = "s", .name = "", .shape = {1}, .exponent = 1}), "E_USAGE");
  EXPECT_EQ(code({.salt = "s", .name = "a", .shape = {-1}, .exponent = 1}), "E_USAGE");
  EXPECT_EQ(code({.salt = "s", .name = "a", .shape = {int64_t{1} << 40, int64_t{1} << 40}, .exponent = 1}),
            "E_USAGE");
  EXPECT_EQ(code({.salt = "s", .name = "a", .shape = {1}, .exponent = 1, .dtype = DType::i64}), "E_USAGE");
  EXPECT_EQ(code({.salt = "s", .name = "a", .shape = {1}, .exponent = 1, .dtype = DType::i32}), "E_USAGE");
  EXPECT_EQ(code({.salt = "s", .name = "a", .shape = {1}, .exponent = 1000}), "E_USAGE");
  EXPECT_EQ(code({.salt = "s", .name = "a", .shape = {}, .exponent = 1, .column_from = 0}), "E_USAGE");
  EXPECT_EQ(code({.salt = "s", .name = "a", .shape = {2}, .dtype = DType::i32, .values = {1}}), "E_USAGE");
  EXPECT_EQ(code({.salt = "s", .name = "a", .shape = {1}, .values = {1}}), "E_USAGE");
  EXPECT_EQ(code({.salt = "s", .name = "a", .shape = {1}, .dtype = DType::i32, .values = {(1 << 24) + 1}}),
            "E_USAGE");
  EXPECT_EQ(code({.salt = "s", .name = "a", .shape = {1}, .exponent = 1, .dtype = DType::i32, .values = {1}}),
            "E_USAGE");
  EXPECT_EQ(thrown_by([&] {
              write_synth(folder.file("s"),
                          {{.salt = "s", .name = "a", .shape = {1}, .exponent = 1},
                           {.salt = "t", .name = "a", .shape = {1}, .exponent = 1}},
                          {});
            }).code,
            "E_USAGE");
  EXPECT_TRUE(folder.names().empty());
  const SynthTensor sound{.salt = "s", .name = "a", .shape = {1}, .exponent = 1};
  EXPECT_EQ(thrown_by([&] { synth_file("r", {sound, sound}); }).code, "E_USAGE");
  EXPECT_EQ(thrown_by([] { synth_file("r", {{.salt = "s", .name = "a", .shape = {-1}}}); }).code, "E_USAGE");
}

}  // namespace
}  // namespace crane::weights
