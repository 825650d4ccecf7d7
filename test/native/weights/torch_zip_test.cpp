#include "weights/torch_zip.h"

#include <gtest/gtest.h>

#include "error_of.h"
#include "forged_files.h"

namespace crane::weights {
namespace {

std::vector<float> values_of(const WeightFile& file, const char* name) {
  const TensorView* view = file.find(name);
  EXPECT_NE(view, nullptr) << name;
  std::vector<float> values(static_cast<size_t>(view->numel()));
  copy_as_f32(*view, values.data());
  return values;
}

const std::string k_six = values_bytes<float>({1, 2, 3, 4, 5, 6});

Thrown refusal_of_tensor(int32_t offset, const std::vector<int32_t>& shape,
                         const std::vector<int32_t>& strides, int32_t numel = 6) {
  return thrown_by([&] {
    open_bytes(
        forge_torch_zip(
            op::dict({{"w", op::tensor(op::storage("FloatStorage", "0", numel), offset, shape, strides)}}),
            {{"0", k_six}})
            .bytes());
  });
}

TEST(TorchZip, ReadsAStateDict) {
  const auto file = open_bytes(forge_small_torch_zip().bytes());
  EXPECT_STREQ(file->container(), "torch-zip");
  EXPECT_EQ(values_of(*file, "w"), (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(values_of(*file, "b"), (std::vector<float>{1, -2}));
}

TEST(TorchZip, NestedDictionariesJoinWithDotsAndNotesBecomeMetadata) {
  const std::string inner =
      op::dict({{"ctx", op::tensor(op::storage("FloatStorage", "0", 6, "cuda:3"), 0, {6}, {1})}});
  const auto file = open_bytes(forge_torch_zip(op::dict({{"prompt_learner", inner},
                                                         {"epoch", op::integer(5)},
                                                         {"note", op::text("mvtec")},
                                                         {"scheduler", "N"},
                                                         {"lr", std::string("G\x3f\xe0\0\0\0\0\0\0", 9)},
                                                         {"list", "](" + op::integer(3) +
                                                                      "\x88"
                                                                      "e"}}),
                                               {{"0", k_six}})
                                   .bytes());
  ASSERT_EQ(file->tensors().size(), 1u);
  EXPECT_EQ(file->tensors()[0].name, "prompt_learner.ctx");
  EXPECT_EQ(file->metadata(),
            (std::map<std::string, std::string>{
                {"epoch", "5"}, {"note", "mvtec"}, {"lr", "0.5"}, {"list.0", "3"}, {"list.1", "true"}}));
}

TEST(TorchZip, EndlessNotesAreDroppedAndTheTensorsStillRead) {
  std::string list = "](";
  for (int i = 0; i < 20000; ++i) list += op::integer(i);
  list += "e";
  const auto file = open_bytes(
      forge_torch_zip(op::dict({{"long", op::text(std::string(5000, 'x'))},
                                {"state", list},
                                {"w", op::tensor(op::storage("FloatStorage", "0", 6), 0, {6}, {1})}}),
                      {{"0", k_six}})
          .bytes());
  EXPECT_EQ(file->metadata().size(), 4096u);
  EXPECT_EQ(file->metadata().count("long"), 0u);
  EXPECT_EQ(values_of(*file, "w").size(), 6u);
}

TEST(TorchZip, ViewsAreReadInTheirOwnOrder) {
  const std::string storage = op::storage("FloatStorage", "0", 6);
  const auto file =
      open_bytes(forge_torch_zip(op::dict({{"transposed", op::tensor(storage, 0, {3, 2}, {1, 3})},
                                           {"slice", op::tensor(storage, 1, {2, 2}, {3, 1})},
                                           {"offset", op::tensor(storage, 4, {2}, {1})},
                                           {"one", op::tensor(storage, 5, {1, 1}, {99, 77})},
                                           {"scalar", op::tensor(storage, 2, {}, {})},
                                           {"empty", op::tensor(storage, 0, {0, 9}, {9, 1})},
                                           {"six", op::tensor(storage, 0, {6}, {1})},
                                           {"permuted", op::tensor(storage, 0, {3, 1, 2}, {1, 6, 3})},
                                           {"repeated", op::tensor(storage, 0, {2, 2, 2}, {3, 0, 1})},
                                           {"every second", op::tensor(storage, 0, {3}, {2})}}),
                                 {{"0", k_six}})
                     .bytes());
  EXPECT_EQ(values_of(*file, "transposed"), (std::vector<float>{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(values_of(*file, "slice"), (std::vector<float>{2, 3, 5, 6}));
  EXPECT_EQ(values_of(*file, "offset"), (std::vector<float>{5, 6}));
  EXPECT_EQ(values_of(*file, "one"), (std::vector<float>{6}));
  EXPECT_EQ(values_of(*file, "scalar"), (std::vector<float>{3}));
  EXPECT_EQ(values_of(*file, "empty"), (std::vector<float>{}));
  EXPECT_EQ(values_of(*file, "every second"), (std::vector<float>{1, 3, 5}));
  EXPECT_EQ(values_of(*file, "permuted"), (std::vector<float>{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(values_of(*file, "repeated"), (std::vector<float>{1, 2, 1, 2, 4, 5, 4, 5}));
  // What lies in order already is not copied, whatever the stride of an axis of size 1.
  EXPECT_EQ(file->find("one")->data, file->find("six")->data + 5 * sizeof(float));
}

TEST(TorchZip, AViewThatLeavesItsStorageIsRefused) {
  EXPECT_EQ(refusal_of_tensor(0, {6}, {1}).code, "");
  EXPECT_EQ(refusal_of_tensor(1, {6}, {1}).code, "E_WEIGHTS_SHAPE");
  EXPECT_EQ(refusal_of_tensor(0, {7}, {1}).code, "E_WEIGHTS_SHAPE");
  EXPECT_EQ(refusal_of_tensor(0, {2, 3}, {4, 1}).code, "E_WEIGHTS_SHAPE");
  EXPECT_EQ(refusal_of_tensor(0, {2}, {INT32_MAX}).code, "E_WEIGHTS_SHAPE");
  EXPECT_EQ(refusal_of_tensor(INT32_MAX, {1}, {1}).code, "E_WEIGHTS_SHAPE");
  EXPECT_EQ(refusal_of_tensor(0, {INT32_MAX, INT32_MAX, INT32_MAX}, {1, 1, 1}).code, "E_WEIGHTS_SHAPE");
  EXPECT_EQ(refusal_of_tensor(0, {INT32_MAX, 2}, {INT32_MAX, INT32_MAX}).code, "E_WEIGHTS_SHAPE");
  EXPECT_EQ(refusal_of_tensor(0, {6}, {1}, 7).code, "E_WEIGHTS_TRUNCATED");  // the member has fewer bytes
  EXPECT_EQ(refusal_of_tensor(0, {6}, {1}, INT32_MAX).code, "E_WEIGHTS_TRUNCATED");
}

TEST(TorchZip, AnExpandedViewCannotAskForMoreMemoryThanTheFileHas) {
  EXPECT_EQ(refusal_of_tensor(0, {20, 6}, {0, 1}).code, "");
  EXPECT_EQ(refusal_of_tensor(0, {1000000000, 6}, {0, 1}).code, "E_WEIGHTS_SHAPE");
  // Many small copies count together.
  std::vector<std::pair<std::string, std::string>> items;
  std::string view = op::tensor(op::storage("FloatStorage", "0", 6), 0, {100, 6}, {0, 1});
  for (int i = 0; i < 200; ++i) items.emplace_back(std::to_string(i), i == 0 ? view + "q\x01" : "h\x01");
  const Thrown thrown = thrown_by([&] {
    open_bytes(forge_torch_zip(op::dict(items), {{"0", k_six}}).bytes());
  });
  EXPECT_EQ(thrown.code, "E_WEIGHTS_SHAPE");
}

TEST(TorchZip, SharedAndCyclicGraphsAreBounded) {
  // Each level is a pair of the one below: 2^60 leaves in a few hundred bytes.
  std::string bomb = "N";
  for (int level = 0; level < 60; ++level) bomb += "q\x01h\x01\x86";
  const std::string cycle = "}q\x01" + op::text("self") + "h\x01s";
  const std::pair<std::string, const char*> bodies[] = {{bomb, "more than 262144 values"},
                                                        {cycle, "nested deeper"}};
  for (const auto& [body, message] : bodies) {
    const Thrown thrown = thrown_by([&] {
      open_bytes(forge_torch_zip(op::dict({{"a", body}}), {}).bytes());
    });
    EXPECT_EQ(thrown.code, "E_WEIGHTS_PICKLE");
    EXPECT_TRUE(contains(thrown.message, message)) << thrown.message;
  }
}

TEST(TorchZip, NamesMustBeUniqueAndKeysTexts) {
  const std::string t = op::tensor(op::storage("FloatStorage", "0", 6), 0, {6}, {1});
  const std::pair<const char*, std::string> bodies[] = {
      {"the same key twice", op::dict({{"a", t}, {"a", t}})},
      {"the same key twice with different contents",
       op::dict({{"a", op::dict({{"b", t}})}, {"a", op::dict({{"c", t}})}})},
      {"the same path twice", op::dict({{"a.b", t}, {"a", op::dict({{"b", t}})}})},
      {"a key that is a tuple", "}" + std::string(")") + t + "s"},
      {"a storage as a value", op::dict({{"a", op::storage("FloatStorage", "0", 6)}})},
      {"a class as a value", op::dict({{"a", op::global("torch", "FloatStorage")}})},
      {"a root that is a tensor", t},
      {"a root that is a list", "]"},
      {"an endless name", op::dict({{std::string(1100, 'a'), t}})},
  };
  for (const auto& [what, body] : bodies) {
    EXPECT_EQ(thrown_by([&] {
                open_bytes(forge_torch_zip(body, {{"0", k_six}}).bytes());
              }).code,
              "E_WEIGHTS_PICKLE")
        << what;
  }
  // Integer keys are written as in Python's optimiser states.
  const auto file = open_bytes(forge_torch_zip("}" + op::integer(3) + t + "s", {{"0", k_six}}).bytes());
  EXPECT_EQ(file->tensors()[0].name, "3");
}

TEST(TorchZip, AnArchiveWithoutItsPartsIsRefused) {
  ForgedZip no_pickle = forge_small_torch_zip();
  no_pickle.members.erase(no_pickle.members.begin());
  EXPECT_EQ(thrown_by([&] { open_bytes(no_pickle.bytes()); }).code, "E_WEIGHTS_CONTAINER");
  ForgedZip two_roots = forge_small_torch_zip();
  two_roots.members.push_back({"other/data.pkl", op::proto() + "}."});
  EXPECT_EQ(thrown_by([&] { open_bytes(two_roots.bytes()); }).code, "E_WEIGHTS_CONTAINER");
  ForgedZip no_storage = forge_small_torch_zip();
  no_storage.members.erase(no_storage.members.begin() + 2);
  const Thrown thrown = thrown_by([&] { open_bytes(no_storage.bytes()); });
  EXPECT_EQ(thrown.code, "E_WEIGHTS_CONTAINER");
  EXPECT_TRUE(contains(thrown.message, "tensor \"b\": its storage \"1\"")) << thrown.message;
  ForgedZip packed = forge_small_torch_zip();
  packed.members[1].method = 8;
  EXPECT_EQ(thrown_by([&] { open_bytes(packed.bytes()); }).code, "E_WEIGHTS_CONTAINER");
  ForgedZip big_endian = forge_small_torch_zip();
  big_endian.members.push_back({"archive/byteorder", "big"});
  EXPECT_EQ(thrown_by([&] { open_bytes(big_endian.bytes()); }).code, "E_WEIGHTS_CONTAINER");
}

TEST(TorchZip, AChangedByteIsFoundByTheChecksum) {
  std::string bytes = forge_small_torch_zip().bytes();
  bytes[bytes.find(k_six) + 1] ^= 4;
  const auto file = open_bytes(bytes);
  EXPECT_EQ(thrown_by([&] { file->verify_checksums(); }).code, "E_WEIGHTS_HASH");
}

TEST(OpenWeights, SaysWhatAFileIsThatIsNoWeightFile) {
  const std::pair<std::string, const char*> files[] = {
      {"version https://git-lfs.github.com/spec/v1\n", "Git LFS"},
      {"<!DOCTYPE html><html>", "web page"},
      {std::string("\x80\x02\x8a\nl\xfc\x9c\x46\xf9 j\xa8P\x19.\x80\x02", 17), "before PyTorch 1.6"},
      {std::string("\x80\x04\x95 bare pickle"), "bare pickle"},
      {"GGUF\3 and more bytes", "GGUF"},
      {"\x1f\x8b\x08 and more bytes", "gzip"},
      {"some text that is nothing", "not a weight file"},
  };
  for (const auto& [bytes, what] : files) {
    const Thrown thrown = thrown_by([&] { open_bytes(bytes); });
    EXPECT_EQ(thrown.code, "E_WEIGHTS_CONTAINER") << what;
    EXPECT_TRUE(contains(thrown.message, what)) << thrown.message;
    EXPECT_FALSE(thrown.hint.empty());
  }
  EXPECT_EQ(thrown_by([] { open_bytes(""); }).code, "E_WEIGHTS_TRUNCATED");
  EXPECT_EQ(thrown_by([] { open_weights("/nonexistent/x.pth"); }).code, "E_WEIGHTS_NOT_FOUND");
  EXPECT_EQ(thrown_by([] { open_weights("/dev/null"); }).code, "E_IO_READ");
}

}  // namespace
}  // namespace crane::weights
