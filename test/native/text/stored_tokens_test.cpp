// P1: a checkpoint's own start and end rows beside those of the tower's table: which count, and how far they
// are apart.
#include "text/stored_tokens.h"

#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include "../weights/model_files.h"
#include "own_rows.h"

namespace crane::text {
namespace {

TEST(StoredTokens, CountOnlyWhereTheyArePreferred) {
  const SyntheticModel model{64, 3, 84};
  WithOwnRows with(model);
  const at::Tensor plain = with.encoded();
  with.prompts.prefers_stored = true;
  EXPECT_TRUE(at::equal(with.encoded(), plain));
  with.prompts.stored_suffix[0] = with.prompts.stored_suffix[0] + 1.0;
  EXPECT_FALSE(at::equal(with.encoded().select(1, 0), plain.select(1, 0)));
  EXPECT_TRUE(at::equal(with.encoded().select(1, 1), plain.select(1, 1)));
  with.prompts.stored_start[1] = with.prompts.stored_start[1] + 1.0;
  EXPECT_FALSE(at::equal(with.encoded().select(1, 1), plain.select(1, 1)));
  with.prompts.prefers_stored = false;
  EXPECT_TRUE(at::equal(with.encoded(), plain));
}

// What a training that began with them writes are the rows that it learned beside.
TEST(StoredTokens, AreWrittenWhereTheyWereUsed) {
  const SyntheticModel model{64, 3, 84};
  WithOwnRows with(model);
  const int64_t n = with.prompts.context_rows();
  const int64_t after = static_cast<int64_t>(with.prompts.ids[0].size()) - 1 - n;
  with.prompts.stored_suffix[0] = with.prompts.stored_suffix[0] + 1.0;
  const auto written = [&] { return with.tower.embedded_tokens(with.prompts, 0, 1 + n, after); };
  EXPECT_FALSE(at::equal(written(), with.prompts.stored_suffix[0]));
  with.prompts.prefers_stored = true;
  EXPECT_TRUE(at::equal(written(), with.prompts.stored_suffix[0]));
}

// A table of 4 tokens of width 64 in which row r holds the recipe's values, and prompts that bring rows for
// the ids {2, X, 1, 3, 0}: start, one context row, one word, end of text, padding.
class Comparison : public testing::Test {
 protected:
  static weights::CanonicalWeights file(const std::string& bytes) {
    return weights::canonicalise({weights::open_bytes(bytes)});
  }

  static std::string floats(const std::string& name, const std::string& shape,
                            const std::vector<float>& values, std::string& header, std::string& data) {
    header += (header.empty() ? "" : ",");
    header += "\"" + name + "\":{\"dtype\":\"F32\",\"shape\":" + shape + ",\"data_offsets\":[" +
              std::to_string(data.size()) + ",";
    data += weights::values_bytes(values);
    header += std::to_string(data.size()) + "]}";
    return header;
  }

  weights::CanonicalWeights prompts(const std::vector<float>& start, const std::vector<float>& suffix) const {
    std::string header;
    std::string data;
    const std::vector<float> context(64, 0.5f);
    for (const char* c : {"pos", "neg"}) floats(std::string("ctx_") + c, "[1,1,1,64]", context, header, data);
    for (const char* c : {"pos", "neg"})
      floats(std::string("token_prefix_") + c, "[1,1,1,64]", start, header, data);
    for (const char* c : {"pos", "neg"})
      floats(std::string("token_suffix_") + c, "[1,1,3,64]", suffix, header, data);
    return file(weights::forge_safetensors("{" + header + "}", data));
  }

  std::vector<float> rows(std::initializer_list<int64_t> ids) const {
    std::vector<float> values;
    for (const int64_t id : ids) {
      std::vector<float> row(64);
      weights::read_f32_rows(tower.at("text.tokens"), id, 1, row.data());
      values.insert(values.end(), row.begin(), row.end());
    }
    return values;
  }

  const SyntheticModel model{64, 3, 84};
  const weights::CanonicalWeights tower =
      weights::canonicalise({weights::open_weights(model.config.weights[0])});
  const std::array<std::vector<int64_t>, 2> ids{{{2, 0, 1, 3, 0}, {2, 0, 1, 3, 0}}};
};

TEST_F(Comparison, EqualRowsDifferByNothing) {
  const TokenComparison found = compare_stored_tokens(tower, prompts(rows({2}), rows({1, 3, 0})), ids);
  EXPECT_EQ(found.rows, 6);  // start, word and end of two texts; padding is not compared
  EXPECT_EQ(found.difference, 0.0);
  EXPECT_GT(found.magnitude, 0.0);
}

TEST_F(Comparison, ADifferenceIsFoundBeforeTheEndOfTextAndNotBehindIt) {
  std::vector<float> suffix = rows({1, 3, 0});
  suffix[2 * 64 + 5] += 7.0f;
  EXPECT_EQ(compare_stored_tokens(tower, prompts(rows({2}), suffix), ids).difference, 0.0);
  suffix[64 + 5] += 7.0f;
  EXPECT_NEAR(compare_stored_tokens(tower, prompts(rows({2}), suffix), ids).difference, 7.0, 1e-5);
}

TEST_F(Comparison, WithoutRowsThereIsNothingToCompare) {
  std::string header;
  std::string data;
  for (const char* c : {"ctx_pos", "ctx_neg"})
    floats(c, "[1,1,1,64]", std::vector<float>(64, 0.5f), header, data);
  const auto bare = file(weights::forge_safetensors("{" + header + "}", data));
  EXPECT_EQ(compare_stored_tokens(tower, bare, ids).rows, 0);
  EXPECT_EQ(compare_stored_tokens(bare, prompts(rows({2}), rows({1, 3, 0})), ids).rows, 0);
}

}  // namespace
}  // namespace crane::text
