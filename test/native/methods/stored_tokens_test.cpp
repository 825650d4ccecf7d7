// P1: compat.storedTokens reaches every method that reads a pair of learned prompts, and what it learns from.
#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include "../engine/noise_pictures.h"
#include "../text/own_rows.h"
#include "engine/training.h"
#include "train/prompt_files.h"

namespace crane {
namespace {

constexpr int64_t k_side = 84;

class StoredTokensOf : public testing::TestWithParam<const char*> {
 protected:
  StoredTokensOf() {
    text::WithOwnRows own(model_);
    own.prompts.prefers_stored = true;
    train::write_prompt_checkpoint(path("same.pth"), own.tower, own.prompts);
    for (at::Tensor& suffix : own.prompts.stored_suffix) suffix = suffix + 1.0;
    suffix_ = own.prompts.stored_suffix[0];
    train::write_prompt_checkpoint(path("other.pth"), own.tower, own.prompts);
  }
  ~StoredTokensOf() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) {
    std::filesystem::create_directories(folder_);
    return (folder_ / name).string();
  }

  static std::shared_ptr<const methods::Method> method(bool stored) {
    methods::Settings settings{{"eAttnLayers", 1.0}, {"features", std::vector<double>{3}}};
    if (stored) settings["compat.storedTokens"] = true;
    return methods::make(GetParam(), settings);
  }

  methods::Material material(const std::string& file) {
    methods::Material own = model_.material;
    own.files["prompts"] = path(file);
    return own;
  }

  double score(const std::string& file, bool stored) {
    const ScoreOptions how{method(stored), "", 0};
    Pictures pictures(1, k_side, k_side, 0);
    pictures.items[0].context = engine_->add_context(material(file), how);
    return engine_->score(pictures.items, how, nullptr)[0].score;
  }

  SyntheticModel model_{64, 3, k_side};
  std::shared_ptr<Engine> engine_ = std::make_shared<Engine>(model_.config);
  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / join_text("crane-stored-", ::getpid());
  at::Tensor suffix_;
};

TEST_P(StoredTokensOf, DecideAScoreOnlyWhereTheyAreWanted) {
  const double plain = score("same.pth", false);
  EXPECT_EQ(score("same.pth", true), plain);
  EXPECT_EQ(score("other.pth", false), plain);
  EXPECT_NE(score("other.pth", true), plain);
}

TEST_P(StoredTokensOf, AreWhatATrainingThatBeginsWithThemWrites) {
  for (const bool stored : {false, true}) {
    methods::LearnerStart start;
    start.kind = methods::LearnerStart::Kind::checkpoint;
    start.material = material("other.pth");
    Training begun(engine_, method(stored), start, {});
    begun.save(path("state"), {}, {});
    methods::LearnerStart saved;
    saved.kind = methods::LearnerStart::Kind::saved;
    saved.saved_path = path("state");
    Training(engine_, method(stored), saved, {}).write_checkpoint(path("learned.pth"), true, {});
    const text::PromptSet written = text::load_prompts(
        path("learned.pth"), {model_.material.texts["normal"][0], model_.material.texts["anomalous"][0]}, 64,
        at::kCPU);
    EXPECT_EQ(at::equal(written.stored_suffix[0], suffix_), stored);
  }
}

INSTANTIATE_TEST_SUITE_P(Methods, StoredTokensOf, testing::Values("crane", "anomalyclip"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace crane
