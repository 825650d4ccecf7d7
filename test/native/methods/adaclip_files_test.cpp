// Small files whose shapes claim more of AdaCLIP's rows than there are layers for.
#include <gtest/gtest.h>

#include "../weights/error_of.h"
#include "../weights/model_files.h"
#include "methods/registry.h"
#include "weights/checker.h"
#include "weights/structure.h"

namespace crane::methods {
namespace {

using weights::thrown_by;

constexpr int64_t k_many = 1'000'000;

weights::Thrown heads_of(const weights::Shape& visual, const weights::Shape& text = {2, 1},
                         const weights::Shape& head = {1, 1}) {
  make("adaclip", {});  // its checkpoint is known from then on
  return thrown_by([&] {
    weights::check_structure(weights::canonicalise(
        {weights::model_file({{"clip_model.visual_prompter.static_prompts.0", visual},
                              {"clip_model.text_prompter.static_prompts.0", text},
                              {"clip_model.patch_token_layer.head.0.weight", head},
                              {"clip_model.dynamic_visual_prompt_generator.head.1.weight", {1, 1}}})}));
  });
}

TEST(AdaClipFiles, AxesOfNothingAreRefused) {
  EXPECT_EQ(heads_of({k_many, 0}, {k_many, 0}, {1, 0}).code, "E_WEIGHTS_SHAPE");
  EXPECT_EQ(heads_of({0, 1}).code, "E_WEIGHTS_SHAPE");
  EXPECT_EQ(heads_of({2, 1}, {2, 0}).code, "E_WEIGHTS_SHAPE");
  EXPECT_EQ(heads_of({2, 1}, {2, 1}, {0, 1}).code, "E_WEIGHTS_SHAPE");
}

TEST(AdaClipFiles, RowsHaveALayerEach) {
  const weights::Thrown thrown = heads_of({k_many, 1});
  EXPECT_EQ(thrown.code, "E_WEIGHTS_MISSING");
  EXPECT_TRUE(
      weights::contains(thrown.message, "\"clip_model.dynamic_visual_prompt_generator.head.0.weight\""))
      << thrown.message;
}

}  // namespace
}  // namespace crane::methods
