#include "weights/safetensors.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>

#include "error_of.h"
#include "forged_files.h"
#include "parity_data.h"
#include "scratch_folder.h"

namespace crane::weights {
namespace {

std::string code_of(const std::string& header, const std::string& data) {
  return thrown_by([&] { open_bytes(forge_safetensors(header, data)); }).code;
}

// One tensor "w" with the given entry, over 8 bytes of data.
std::string code_of_entry(const std::string& entry) {
  return code_of("{\"w\":" + entry + "}", std::string(8, '\0'));
}

TEST(Safetensors, ReadsTensorsAndMetadataInFileOrder) {
  const auto file = open_bytes(forge_small_safetensors());
  EXPECT_STREQ(file->container(), "safetensors");
  ASSERT_EQ(file->tensors().size(), 2u);
  EXPECT_EQ(file->tensors()[0].name, "w");
  EXPECT_EQ(file->metadata().at("format"), "pt");
  float values[6];
  copy_as_f32(*file->find("w"), values);
  EXPECT_EQ(values[5], 6.0f);
  copy_as_f32(*file->find("b"), values);
  EXPECT_EQ(values[1], -2.0f);
  EXPECT_EQ(file->find("x"), nullptr);
}

TEST(Safetensors, ReadsEmptyTensorsScalarsAndPaddedHeaders) {
  const auto file = open_bytes(forge_safetensors(
      R"({"e":{"dtype":"I64","shape":[0,3],"data_offsets":[0,0]},"s":{"dtype":"U8","shape":[],"data_offsets":[0,1]}}   )",
      "\x07"));
  EXPECT_EQ(file->find("e")->numel(), 0);
  int32_t value = 0;
  copy_as_i32(*file->find("s"), &value);
  EXPECT_EQ(value, 7);
}

TEST(Safetensors, NamesWhatIsWrongWithAnEntry) {
  EXPECT_EQ(code_of_entry(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8]})"), "");
  EXPECT_EQ(code_of_entry(R"({"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]})"), "E_WEIGHTS_DTYPE");
  EXPECT_EQ(code_of_entry(R"({"dtype":"f32","shape":[2],"data_offsets":[0,8]})"), "E_WEIGHTS_DTYPE");
  EXPECT_EQ(code_of_entry(R"({"dtype":"F32","shape":[3],"data_offsets":[0,8]})"), "E_WEIGHTS_SHAPE");
  EXPECT_EQ(code_of_entry(R"({"dtype":"F32","shape":[-2],"data_offsets":[0,8]})"), "E_WEIGHTS_SHAPE");
  EXPECT_EQ(code_of_entry(R"({"dtype":"F32","shape":[2.0],"data_offsets":[0,8]})"), "E_WEIGHTS_SHAPE");
  EXPECT_EQ(code_of_entry(R"({"dtype":"F32","shape":["2"],"data_offsets":[0,8]})"), "E_WEIGHTS_SHAPE");
  // 2^32 * 2^32 * 4 bytes is 0 modulo 2^64, and so is 2^62 * 4 when a zero follows: both must be noticed.
  EXPECT_EQ(code_of_entry(R"({"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]})"),
            "E_WEIGHTS_SHAPE");
  EXPECT_EQ(code_of_entry(R"({"dtype":"F32","shape":[4611686018427387904,4,0],"data_offsets":[0,0]})"),
            "E_WEIGHTS_SHAPE");
  EXPECT_EQ(
      code_of_entry(R"({"dtype":"U8","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,8],"data_offsets":[0,8]})"),
      "E_WEIGHTS_SHAPE");
  EXPECT_EQ(code_of_entry(R"({"dtype":"F32","shape":[2],"data_offsets":[8,0]})"), "E_WEIGHTS_CONTAINER");
  EXPECT_EQ(code_of_entry(R"({"dtype":"F32","shape":[1],"data_offsets":[4,8]})"),
            "E_WEIGHTS_CONTAINER");  // gap
  EXPECT_EQ(code_of_entry(R"({"dtype":"F32","shape":[1],"data_offsets":[0,4]})"),
            "E_WEIGHTS_CONTAINER");  // rest
  EXPECT_EQ(code_of_entry(R"({"dtype":"F32","shape":[4],"data_offsets":[0,16]})"), "E_WEIGHTS_TRUNCATED");
  EXPECT_EQ(code_of_entry(R"({"dtype":"F32","shape":[2],"data_offsets":[-8,0]})"), "E_WEIGHTS_CONTAINER");
  EXPECT_EQ(code_of_entry(R"({"dtype":"F32","shape":[2],"data_offsets":[0]})"), "E_WEIGHTS_CONTAINER");
  EXPECT_EQ(code_of_entry(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8,8]})"), "E_WEIGHTS_CONTAINER");
  EXPECT_EQ(code_of_entry(R"({"dtype":"F32","shape":[2],"data_offsets":{"a":0}})"), "E_WEIGHTS_CONTAINER");
  EXPECT_EQ(code_of_entry(R"({"dtype":"F32","shape":2,"data_offsets":[0,8]})"), "E_WEIGHTS_CONTAINER");
  EXPECT_EQ(code_of_entry(R"({"dtype":4,"shape":[2],"data_offsets":[0,8]})"), "E_WEIGHTS_CONTAINER");
  EXPECT_EQ(code_of_entry(R"({"dtype":"F32","shape":[2]})"), "E_WEIGHTS_CONTAINER");
  EXPECT_EQ(code_of_entry(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1})"),
            "E_WEIGHTS_CONTAINER");
  EXPECT_EQ(code_of_entry("7"), "E_WEIGHTS_CONTAINER");
  EXPECT_EQ(code_of_entry("null"), "E_WEIGHTS_CONTAINER");
}

TEST(Safetensors, NamesWhatIsWrongWithTheHeader) {
  const std::string w = R"({"dtype":"U8","shape":[4],"data_offsets":)";
  EXPECT_EQ(code_of("{\"a\":" + w + "[0,4]},\"b\":" + w + "[4,8]}}", std::string(8, '\0')), "");
  EXPECT_EQ(code_of("{\"a\":" + w + "[0,4]},\"b\":" + w + "[2,6]}}", std::string(6, '\0')),
            "E_WEIGHTS_CONTAINER");
  EXPECT_EQ(code_of("{\"a\":" + w + "[0,4]},\"b\":" + w + "[0,4]}}", std::string(4, '\0')),
            "E_WEIGHTS_CONTAINER");
  EXPECT_EQ(code_of("{\"a\":" + w + "[0,4]},\"a\":" + w + "[4,8]}}", std::string(8, '\0')),
            "E_WEIGHTS_CONTAINER");
  EXPECT_EQ(code_of(R"({"__metadata__":{"a":1}})", ""), "E_WEIGHTS_CONTAINER");
  EXPECT_EQ(code_of(R"({"__metadata__":[]})", ""), "E_WEIGHTS_CONTAINER");
  EXPECT_EQ(code_of("{}", "x"), "E_WEIGHTS_CONTAINER");
  EXPECT_EQ(code_of("{]", ""), "E_WEIGHTS_CONTAINER");
  EXPECT_EQ(code_of("{\"a\xff\":1}", ""), "E_WEIGHTS_CONTAINER");
  const std::string body = "{\"a\":" + w + "[0,4]}}abcd";
  const auto with_length = [&](uint64_t n) { return thrown_by([&] { open_bytes(le(n) + body); }).code; };
  EXPECT_EQ(with_length(body.size() - 4), "");
  EXPECT_EQ(with_length(body.size() + 1), "E_WEIGHTS_TRUNCATED");
  EXPECT_EQ(with_length(99'999'999), "E_WEIGHTS_TRUNCATED");
  EXPECT_EQ(with_length(100'000'001), "E_WEIGHTS_CONTAINER");
  EXPECT_EQ(with_length(0), "E_WEIGHTS_CONTAINER");
  EXPECT_EQ(with_length(1), "E_WEIGHTS_CONTAINER");
  EXPECT_EQ(with_length(UINT64_MAX), "E_WEIGHTS_CONTAINER");
}

TEST(Safetensors, MessageNamesFileTensorFoundAndExpected) {
  const Thrown thrown = thrown_by([] {
    open_bytes(
        forge_safetensors(R"({"a\nb":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", std::string(8, 0)),
        "model.safetensors");
  });
  EXPECT_EQ(thrown.message, "model.safetensors: tensor \"a\\x0ab\": 8 bytes, expected 12 for f32 [3]");
}

TEST(Safetensors, WhatTheWriterWritesTheReaderReads) {
  const ScratchFolder folder;
  const std::string path = folder.file("out.safetensors");
  SafetensorsWriter writer(
      path, {{"h", DType::f16, {3}}, {"f \"x\"\n\xc3\xa9", DType::f32, {2, 1}}, {"i", DType::i32, {}}},
      {{"note", "a\\b\""}});
  const std::string h = values_bytes<uint16_t>({1, 2, 3});
  const std::string f = values_bytes<float>({0.5f, -1});
  const std::string i = values_bytes<int32_t>({-9});
  writer.append(2, std::as_bytes(std::span(i)));
  writer.append(0, std::as_bytes(std::span(h)).first(2));
  writer.append(1, std::as_bytes(std::span(f)));
  writer.append(0, std::as_bytes(std::span(h)).subspan(2));
  writer.finish();
  EXPECT_EQ(folder.names(), std::vector<std::string>{"out.safetensors"});

  const auto file = open_weights(path);
  EXPECT_EQ(file->metadata().at("note"), "a\\b\"");
  ASSERT_EQ(file->tensors().size(), 3u);
  for (const TensorView& view : file->tensors()) {
    EXPECT_EQ(reinterpret_cast<uintptr_t>(view.data) % item_bytes(view.dtype), 0u) << view.name;
  }
  float values[2];
  copy_as_f32(*file->find("f \"x\"\n\xc3\xa9"), values);
  EXPECT_EQ(values[1], -1.0f);
  EXPECT_EQ(std::memcmp(file->find("h")->data, h.data(), h.size()), 0);
  EXPECT_EQ(file->find("i")->shape, std::vector<int64_t>{});
}

TEST(Safetensors, AnUnfinishedWriterLeavesTheOldFileAndNothingElse) {
  const ScratchFolder folder;
  const std::string path = folder.file("out.safetensors");
  std::ofstream(path) << "old";
  {
    SafetensorsWriter writer(path, {{"w", DType::f32, {4}}}, {});
    EXPECT_EQ(thrown_by([&] { writer.finish(); }).code, "E_INTERNAL");  // not complete
  }
  EXPECT_EQ(file_text(path), "old");
  EXPECT_EQ(folder.names().size(), 1u);
}

TEST(Safetensors, AWriteThatFailsIsCodedAndLeavesTheOldFile) {
  const ScratchFolder folder;
  const std::string path = folder.file("out.safetensors");
  std::ofstream(path) << "old";
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  const std::vector<float> values(4096, 1.0f);
  for (const rlim_t limit : {rlim_t{0}, rlim_t{10}, rlim_t{100}, rlim_t{8192}, rlim_t{16384}}) {
    const rlimit small{limit, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    const Thrown thrown = thrown_by([&] {
      SafetensorsWriter writer(path, {{"w", DType::f32, {4096}}}, {});
      writer.append(0, std::as_bytes(std::span(values)));
      writer.finish();
    });
    ::setrlimit(RLIMIT_FSIZE, &before);
    EXPECT_EQ(thrown.code, "E_IO_WRITE") << limit;
    EXPECT_EQ(file_text(path), "old") << limit;
    EXPECT_EQ(folder.names().size(), 1u) << limit;
  }
  ::signal(SIGXFSZ, handler);
}

TEST(Safetensors, AFolderThatIsNotThereIsCoded) {
  const Thrown thrown = thrown_by([] { SafetensorsWriter("/nonexistent/x.safetensors", {}, {}); });
  EXPECT_EQ(thrown.code, "E_IO_WRITE");
  EXPECT_TRUE(contains(thrown.message, "/nonexistent/x.safetensors")) << thrown.message;
}

}  // namespace
}  // namespace crane::weights
