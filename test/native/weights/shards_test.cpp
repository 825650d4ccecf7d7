#include "weights/shards.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "error_of.h"
#include "model_files.h"
#include "scratch_folder.h"
#include "weights/name_map.h"

namespace crane::weights {
namespace {

void write(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

// The tensors in two files and, in the order of the index, which is in which.
struct Model {
  explicit Model(const ScratchFolder& folder, const std::string& stem = "model") {
    const std::vector<NamedShape> all = hf_clip_vision();
    const size_t half = all.size() / 2;
    first = stem + "-00001-of-00002.safetensors";
    second = stem + "-00002-of-00002.safetensors";
    write(folder.file(first), model_bytes({all.begin(), all.begin() + static_cast<int64_t>(half)}));
    write(folder.file(second), model_bytes({all.begin() + static_cast<int64_t>(half), all.end()}));
    for (size_t i = 0; i < all.size(); ++i) entries.push_back({all[i].first, i < half ? first : second});
  }
  std::string index() const {
    std::string text = R"({"metadata": {"total_size": 1}, "weight_map": {)";
    for (size_t i = 0; i < entries.size(); ++i) {
      if (i > 0) text += ", ";
      text.append("\"").append(entries[i].first).append("\": \"").append(entries[i].second).append("\"");
    }
    return text + "}}";
  }
  std::string first;
  std::string second;
  std::vector<std::pair<std::string, std::string>> entries;
};

TEST(Shards, AnIndexAndItsFolderStandForAllItsFiles) {
  const ScratchFolder folder;
  const Model model(folder);
  const std::string index = folder.file("model.safetensors.index.json");
  write(index, model.index());
  write(folder.file("config.json"), "{}");
  const CanonicalWeights whole = canonicalise({model_file(hf_clip_vision())});
  for (const std::string& path : {index, std::filesystem::path(index).parent_path().string()}) {
    const auto file = open_weights(path);
    EXPECT_STREQ(file->container(), "shards");
    EXPECT_EQ(files_of(*file),
              (std::vector<std::string>{folder.file(model.first), folder.file(model.second)}));
    // Parts of one tensor (q, k, v) may lie in different files.
    EXPECT_EQ(canonicalise({file}).tensors.size(), whole.tensors.size());
    file->verify_checksums();
  }
}

TEST(Shards, AFolderWithoutAnIndexNeedsAllPartsOrOneFile) {
  const ScratchFolder folder;
  const std::string path = std::filesystem::path(folder.file("x")).parent_path().string();
  EXPECT_EQ(thrown_by([&] { open_weights(path); }).code, "E_WEIGHTS_CONTAINER");
  const Model model(folder);
  EXPECT_EQ(open_weights(path)->tensors().size(), model.entries.size());
  std::filesystem::remove(folder.file(model.first));
  const Thrown missing = thrown_by([&] {
    write(folder.file("model-00003-of-00003.safetensors"), "x");
    std::filesystem::remove(folder.file(model.second));
    write(folder.file("model-00001-of-00003.safetensors"), "x");
    open_weights(path);
  });
  EXPECT_EQ(missing.code, "E_WEIGHTS_NOT_FOUND");
  EXPECT_TRUE(contains(missing.message, "part 2 of 3")) << missing.message;
  for (const char* name : {"model-00001-of-00003.safetensors", "model-00003-of-00003.safetensors"})
    std::filesystem::remove(folder.file(name));
  write(folder.file("one.pt"), model_bytes(hf_clip_vision()));
  EXPECT_STREQ(open_weights(path)->container(), "safetensors");
  write(folder.file("two.pt"), model_bytes(hf_clip_vision()));
  const Thrown several = thrown_by([&] { open_weights(path); });
  EXPECT_EQ(several.code, "E_WEIGHTS_CONTAINER");
  EXPECT_TRUE(contains(several.message, "2 weight files")) << several.message;
}

TEST(Shards, AnIndexThatDoesNotFitItsFilesIsRefused) {
  const ScratchFolder folder;
  const Model model(folder);
  const std::string index = folder.file("m.index.json");
  const auto code_of = [&](const std::string& text) {
    write(index, text);
    return thrown_by([&] { open_weights(index); }).code;
  };
  Model without = model;
  without.entries.pop_back();
  EXPECT_EQ(code_of(without.index()), "E_WEIGHTS_EXTRA");
  Model with = model;
  with.entries.push_back({"one.more", model.first});
  EXPECT_EQ(code_of(with.index()), "E_WEIGHTS_MISSING");
  Model elsewhere = model;
  elsewhere.entries.front().second = "nowhere.safetensors";
  EXPECT_EQ(code_of(elsewhere.index()), "E_WEIGHTS_NOT_FOUND");
  for (const char* name : {"../x", "a/b", "..", ".", "", "/etc/passwd", "a\\\\b"}) {
    Model outside = model;
    outside.entries.front().second = name;
    EXPECT_EQ(code_of(outside.index()), "E_WEIGHTS_CONTAINER") << name;
  }
  // An index that leads to itself must not be read for ever.
  EXPECT_EQ(code_of(R"({"weight_map": {"a": "m.index.json"}})"), "E_WEIGHTS_CONTAINER");
  for (const char* text :
       {"{}", "{\"weight_map\": {}}", "{\"weight_map\": []}", "{\"weight_map\": {\"a\": 1}}", "{"})
    EXPECT_EQ(code_of(text), "E_WEIGHTS_CONTAINER") << text;
}

TEST(Shards, TheSameTensorInTwoFilesIsNamed) {
  const ScratchFolder folder;
  write(folder.file("m-1-of-2.safetensors"), model_bytes({{"a", {2}}}));
  write(folder.file("m-2-of-2.safetensors"), model_bytes({{"a", {2}}}));
  const std::string path = std::filesystem::path(folder.file("x")).parent_path().string();
  const Thrown thrown = thrown_by([&] { open_weights(path); });
  EXPECT_EQ(thrown.code, "E_WEIGHTS_EXTRA");
  EXPECT_TRUE(contains(thrown.message, "m-1-of-2") && contains(thrown.message, "m-2-of-2")) << thrown.message;
}

}  // namespace
}  // namespace crane::weights
