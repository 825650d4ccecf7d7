// Context rows take the places of as many placeholders, no more and no fewer.
#include <gtest/gtest.h>

#include "../engine/synthetic_model.h"
#include "text/prompts.h"

namespace crane::text {
namespace {

std::string code_of(const std::vector<int64_t>& normal, const std::vector<int64_t>& anomalous) {
  const SyntheticModel model(64, 1, 84);  // a file of three context rows, without texts
  try {
    load_prompts(model.material.files.at("prompts"), {normal, anomalous}, 64, at::kCPU);
    return "none";
  } catch (const Error& error) {
    return error.code();
  }
}

TEST(Placeholders, AreAsManyAsTheContextRowsInBothTexts) {
  const std::vector<int64_t> three{1, 2, 2, 2, 5, 9, 0, 0, 0};
  const std::vector<int64_t> two{1, 2, 2, 5, 9, 0, 0, 0, 0};
  const std::vector<int64_t> four{1, 2, 2, 2, 2, 5, 9, 0, 0};
  const std::vector<int64_t> none{1, 5, 2, 2, 2, 9, 0, 0, 0};
  EXPECT_EQ(code_of(three, three), "none");
  for (const auto& other : {two, four, none, std::vector<int64_t>{1}, std::vector<int64_t>{}}) {
    EXPECT_EQ(code_of(other, three), "E_PROMPTS");
    EXPECT_EQ(code_of(three, other), "E_PROMPTS");
  }
}

}  // namespace
}  // namespace crane::text
