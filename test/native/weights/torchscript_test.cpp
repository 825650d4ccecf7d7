#include "weights/torchscript.h"

#include <gtest/gtest.h>

#include "error_of.h"
#include "forged_files.h"

namespace crane::weights {
namespace {

ForgedZip archive_of(const std::string& value) {
  ForgedZip zip = forge_torch_zip(value, {{"0", values_bytes<float>({1, 2, 3, 4, 5, 6})}});
  zip.members.push_back({"archive/constants.pkl", std::string("\x80\x02).", 4)});
  return zip;
}

const std::string k_object = op::global("__torch__", "Model") + ")\x81";
const std::string k_tensor = op::tensor(op::storage("FloatStorage", "0", 6), 0, {6}, {1});

TEST(TorchScript, ReadsAModuleTreeByAttributePaths) {
  const auto file = open_bytes(forge_small_torchscript().bytes());
  EXPECT_STREQ(file->container(), "torchscript");
  ASSERT_EQ(file->tensors().size(), 2u);
  EXPECT_EQ(file->tensors()[0].name, "scale");
  EXPECT_EQ(file->tensors()[0].shape, std::vector<int64_t>{});
  float value = 0;
  copy_as_f32(file->tensors()[0], &value);
  EXPECT_EQ(value, -2.0f);
  EXPECT_EQ(file->tensors()[1].name, "child.weight");
  EXPECT_EQ(file->metadata(), (std::map<std::string, std::string>{{"context_length", "77"}}));
}

TEST(TorchScript, ReadsTypedListsAndTaggedDictionaries) {
  const std::string list = op::global("torch.jit._pickle", "build_intlist") +
                           "](K\x05K\x06"
                           "e\x85R";
  const std::string tagged = op::global("torch.jit._pickle", "restore_type_tag") +
                             op::dict({{"a", op::integer(1)}}) + op::text("Dict") + "\x86R";
  const auto file = open_bytes(
      archive_of(k_object + op::dict({{"w", k_tensor}, {"sizes", list}, {"map", tagged}}) + "b").bytes());
  EXPECT_EQ(file->metadata(),
            (std::map<std::string, std::string>{{"sizes.0", "5"}, {"sizes.1", "6"}, {"map.a", "1"}}));
}

TEST(TorchScript, CodeIsNeverLookedAt) {
  ForgedZip zip = forge_small_torchscript();
  zip.members.push_back({"archive/code/__torch__/evil.py", "import os; os.system('touch canary')"});
  zip.members.push_back({"archive/code/broken.py", std::string("\xff\0\xfe", 3)});
  EXPECT_EQ(open_bytes(zip.bytes())->tensors().size(), 2u);
}

TEST(TorchScript, WhatIsNoModuleIsRefused) {
  const std::pair<const char*, std::string> bodies[] = {
      {"a root that is a dictionary", op::dict({{"w", k_tensor}})},
      {"a root that is a tensor", k_tensor},
      {"a class that is called", op::global("__torch__", "Model") + ")R"},
      {"an object with arguments", op::global("__torch__", "Model") + "K\x01\x85\x81"},
      {"an object built twice", k_object + "}b}b"},
      {"an object of another module", op::global("torch", "Model") + ")\x81"},
      {"an object of a lookalike", op::global("__torch__x", "Model") + ")\x81"},
      {"an object that is its own state", k_object + "q\x01h\x01"
                                                     "b"},
      {"an object in itself", k_object + "q\x01}" + op::text("me") + "h\x01sb"},
      {"a list function without a list",
       k_object + op::dict({{"l", op::global("torch.jit._pickle", "build_intlist") + "K\x01\x85R"}}) + "b"},
      {"a tag without a tag",
       k_object + op::dict({{"l", op::global("torch.jit._pickle", "restore_type_tag") + "]\x85R"}}) + "b"},
  };
  for (const auto& [what, body] : bodies) {
    EXPECT_EQ(thrown_by([&] { open_bytes(archive_of(body).bytes()); }).code, "E_WEIGHTS_PICKLE") << what;
  }
}

}  // namespace
}  // namespace crane::weights
