#include "weights/torch_zip_writer.h"

#include <gtest/gtest.h>

#include "error_of.h"
#include "forged_files.h"
#include "parity_data.h"
#include "scratch_folder.h"

namespace crane::weights {
namespace {

TEST(TorchZipWriter, WhatItWritesIsReadBack) {
  const ScratchFolder folder;
  const std::string path = folder.file("epoch_1.pth");
  const std::string ctx = values_bytes<float>({1, 2, 3, 4, 5, 6});
  const std::string ids = values_bytes<int32_t>({49406, -1});
  const auto data = [](const std::string& bytes) { return reinterpret_cast<const std::byte*>(bytes.data()); };
  const std::vector<TensorView> tensors = {{"ctx_pos", DType::f32, {1, 1, 3, 2}, data(ctx)},
                                           {"ids", DType::i32, {2}, data(ids)},
                                           {"scalar", DType::f32, {}, data(ctx)},
                                           {"empty", DType::i64, {0, 4}, nullptr}};
  write_torch_zip(path, "prompt_learner", tensors);
  EXPECT_EQ(folder.names(), std::vector<std::string>{"epoch_1.pth"});
  const auto file = open_weights(path);
  EXPECT_STREQ(file->container(), "torch-zip");
  ASSERT_EQ(file->tensors().size(), tensors.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    const TensorView& view = file->tensors()[i];
    EXPECT_EQ(view.name, "prompt_learner." + tensors[i].name);
    EXPECT_EQ(view.dtype, tensors[i].dtype);
    EXPECT_EQ(view.shape, tensors[i].shape);
    if (view.bytes() == 0) continue;
    EXPECT_EQ(std::memcmp(view.data, tensors[i].data, view.bytes()), 0) << view.name;
    EXPECT_EQ(reinterpret_cast<uintptr_t>(view.data) % 64, 0u) << view.name;  // the mapping begins at a page
  }
  file->verify_checksums();
}

TEST(TorchZipWriter, EqualTensorsGiveEqualBytesWhateverThePath) {
  const ScratchFolder folder;
  const std::string ctx = values_bytes<float>({1, 2});
  const std::vector<TensorView> tensors = {
      {"ctx_pos", DType::f32, {2}, reinterpret_cast<const std::byte*>(ctx.data())}};
  write_torch_zip(folder.file("a.pth"), "", tensors);
  write_torch_zip(folder.file("longer name.pth"), "", tensors);
  EXPECT_EQ(file_text(folder.file("a.pth")), file_text(folder.file("longer name.pth")));
  EXPECT_EQ(open_weights(folder.file("a.pth"))->tensors()[0].name, "ctx_pos");
}

TEST(TorchZipWriter, ACheckpointOfTheAuthorsKeepsEveryTensor) {
  if (!has_fixture("toy/prompts_toy.pth")) return;
  const ScratchFolder folder;
  const auto original = open_weights(fixture("toy/prompts_toy.pth"));
  std::vector<TensorView> tensors = original->tensors();
  for (TensorView& tensor : tensors) tensor.name = tensor.name.substr(std::string("prompt_learner.").size());
  write_torch_zip(folder.file("copy.pth"), "prompt_learner", tensors);
  const auto copy = open_weights(folder.file("copy.pth"));
  ASSERT_EQ(copy->tensors().size(), original->tensors().size());
  for (const TensorView& view : original->tensors()) {
    const TensorView* other = copy->find(view.name);
    ASSERT_NE(other, nullptr) << view.name;
    EXPECT_EQ(other->shape, view.shape);
    EXPECT_EQ(std::memcmp(other->data, view.data, view.bytes()), 0) << view.name;
  }
}

TEST(TorchZipWriter, NamesGivenTwiceAndFoldersThatAreMissingAreCoded) {
  const ScratchFolder folder;
  const std::string ctx = values_bytes<float>({1, 2});
  const TensorView view{"a", DType::f32, {2}, reinterpret_cast<const std::byte*>(ctx.data())};
  EXPECT_EQ(thrown_by([&] { write_torch_zip(folder.file("x"), "", {view, view}); }).code, "E_INTERNAL");
  EXPECT_EQ(thrown_by([&] { write_torch_zip(folder.file("no/x"), "", {view}); }).code, "E_IO_WRITE");
  EXPECT_TRUE(folder.names().empty());
}

}  // namespace
}  // namespace crane::weights
