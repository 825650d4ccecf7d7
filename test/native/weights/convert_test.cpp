#include "weights/convert.h"

#include <gtest/gtest.h>

#include <cmath>

#include "error_of.h"
#include "model_files.h"
#include "scratch_folder.h"

namespace crane::weights {
namespace {

std::vector<float> read(const CanonicalTensor& tensor) {
  std::vector<float> values(static_cast<size_t>(tensor.numel()));
  read_f32(tensor, values.data());
  return values;
}

TEST(Convert, KeepsEveryValueAndUsesTheCanonicalNames) {
  const ScratchFolder folder;
  std::vector<NamedShape> both = hf_clip_vision();
  for (const NamedShape& tensor : hf_clip_text()) both.push_back(tensor);
  const CanonicalWeights source = canonicalise({model_file(both), model_file(prompt_learner())});
  // The recipe's values with exponent 0 are exact in f16 too.
  for (const DType dtype : {DType::f32, DType::f16}) {
    const std::string path = folder.file(dtype_name(dtype));
    convert_weights(source, path, dtype, {{"from", "test"}});
    const auto file = open_weights(path);
    EXPECT_EQ(file->metadata().at("from"), "test");
    const CanonicalWeights converted = canonicalise({file});
    EXPECT_EQ(converted.family, "canonical");
    ASSERT_EQ(converted.tensors.size(), source.tensors.size());
    for (const auto& [name, tensor] : source.tensors) {
      EXPECT_EQ(converted.at(name).shape, tensor.shape) << name;
      EXPECT_EQ(converted.at(name).parts.front()->dtype, dtype) << name;
      EXPECT_EQ(read(converted.at(name)), read(tensor)) << name;
    }
    verify_weights(file);
  }
}

TEST(Convert, AValueTooLargeForF16IsNamedAndNothingIsWritten) {
  const ScratchFolder folder;
  std::string bytes = model_bytes({{"ctx_pos", {1, 1, 1, 2}}, {"ctx_neg", {1, 1, 1, 2}}});
  const float large = 65520.0f;
  std::memcpy(bytes.data() + bytes.size() - 4, &large, 4);
  const CanonicalWeights weights = canonicalise({open_bytes(bytes)});
  const Thrown thrown = thrown_by([&] { convert_weights(weights, folder.file("x"), DType::f16, {}); });
  EXPECT_EQ(thrown.code, "E_WEIGHTS_NONFINITE");
  EXPECT_TRUE(contains(thrown.message, "ctx_neg")) << thrown.message;
  EXPECT_TRUE(folder.names().empty());
  convert_weights(weights, folder.file("x"), DType::f32, {});
  EXPECT_EQ(thrown_by([&] { convert_weights(weights, folder.file("y"), DType::bf16, {}); }).code, "E_USAGE");
}

TEST(Convert, AnIncompleteModelIsNamedAndNothingIsWritten) {
  const ScratchFolder folder;
  std::vector<NamedShape> tensors = openai_clip();
  erase_name(tensors, "visual.ln_post.bias");
  const CanonicalWeights weights = canonicalise({model_file(tensors)});
  const Thrown thrown = thrown_by([&] { convert_weights(weights, folder.file("x"), DType::f32, {}); });
  EXPECT_EQ(thrown.code, "E_WEIGHTS_MISSING");
  EXPECT_TRUE(contains(thrown.message, "visual.ln_post.bias")) << thrown.message;
  EXPECT_TRUE(folder.names().empty());
}

TEST(Verify, FindsADamagedByteAndAValueThatIsNotFinite) {
  const std::string ctx = op::tensor(op::storage("FloatStorage", "0", 6), 0, {1, 1, 3, 2}, {6, 6, 2, 1});
  const auto checkpoint = [&](float last) {
    return forge_torch_zip(op::dict({{"ctx_pos", ctx}, {"ctx_neg", ctx}}),
                           {{"0", values_bytes<float>({1, 2, 3, 4, 5, last})}})
        .bytes();
  };
  const std::string good = checkpoint(6);
  verify_weights(open_bytes(good));
  std::string flipped = good;
  flipped[flipped.find(values_bytes<float>({5, 6}))] ^= 1;
  EXPECT_EQ(thrown_by([&] { verify_weights(open_bytes(flipped)); }).code, "E_WEIGHTS_HASH");
  EXPECT_EQ(thrown_by([&] { verify_weights(open_bytes(checkpoint(INFINITY))); }).code, "E_WEIGHTS_NONFINITE");
}

}  // namespace
}  // namespace crane::weights
