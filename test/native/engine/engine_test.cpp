#include "engine/engine.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <tuple>

#include "core/error.h"
#include "engine/map_results.h"
#include "engine/view_count.h"
#include "image/map.h"
#include "kernels/choice.h"
#include "noise_pictures.h"
#include "synthetic_model.h"

namespace crane {
namespace {

void expect_same_bits(const ScoreOutcome& a, const ScoreOutcome& b) {
  EXPECT_EQ(a.parts[0], b.parts[0]);
  EXPECT_EQ(a.map_max(), b.map_max());
  EXPECT_EQ(a.map, b.map);
}

// The width and size of the real model, because kernels change with both.
TEST(Engine, ScoresAreTheSameBitsWhateverSharesTheCallAndInWhichOrder) {
  SyntheticModel model(/*width=*/1024, /*blocks=*/1, /*side=*/518);
  Engine engine(model.config);
  const int64_t prompts = engine.add_context(model.material, model.options);
  const Pictures pictures(8, 518, 518, prompts);
  std::vector<ScoreOutcome> alone;
  for (const ScoreItem& item : pictures.items)
    alone.push_back(engine.score({&item, 1}, model.options, nullptr)[0]);
  EXPECT_NE(alone[0].parts[0], alone[1].parts[0]);
  for (const size_t batch : {2u, 3u, 4u, 8u}) {
    std::vector<ScoreItem> reversed(pictures.items.begin(),
                                    pictures.items.begin() + static_cast<long>(batch));
    std::reverse(reversed.begin(), reversed.end());
    const auto together = engine.score(reversed, model.options, nullptr);
    ASSERT_EQ(together.size(), batch);
    for (size_t i = 0; i < batch; ++i) expect_same_bits(together[i], alone[batch - 1 - i]);
  }
}

TEST(Engine, PreprocessedInputGivesThePicturesBits) {
  SyntheticModel model(64, 3, 84);
  Engine engine(model.config);
  const int64_t prompts = engine.add_context(model.material, model.options);
  const Pictures pictures(2, 84, 84, prompts);
  std::vector<float> input(2 * 3 * 84 * 84);
  for (size_t b = 0; b < 2; ++b) {
    for (size_t c = 0; c < 3; ++c) {
      for (size_t i = 0; i < 84 * 84; ++i) {
        input[(b * 3 + c) * 84 * 84 + i] =
            (static_cast<float>(pictures.pixels[b][i * 3 + c]) / 255.0F - 0.5F) / 0.25F;
      }
    }
  }
  const auto from_pictures = engine.score(pictures.items, model.options, nullptr);
  const auto from_input =
      engine.score_preprocessed(input.data(), {2, 84, 84}, prompts, model.options, true, nullptr);
  for (size_t i = 0; i < 2; ++i) expect_same_bits(from_pictures[i], from_input[i]);
}

TEST(Engine, BatchMeanLetsNeighboursMatterAndOnlyThen) {
  SyntheticModel model(64, 3, 84);
  Engine engine(model.config);
  const int64_t prompts = engine.add_context(model.material, model.options);
  const Pictures pictures(3, 84, 84, prompts);
  const auto alone = engine.score({pictures.items.data(), 1}, model.options, nullptr);
  const auto together = engine.score(pictures.items, model.options, nullptr);
  expect_same_bits(alone[0], together[0]);
  ScoreOptions shared = model.options;
  shared = with(shared, {{"compat.batchMean", true}});
  EXPECT_EQ(engine.score({pictures.items.data(), 1}, shared, nullptr)[0].parts[0], alone[0].parts[0]);
  EXPECT_NE(engine.score(pictures.items, shared, nullptr)[0].map, alone[0].map);
}

// As the bindings do it: the next calls are prepared while one runs.
TEST(Engine, PicturesPreparedAheadGiveTheSameBits) {
  SyntheticModel model(64, 3, 84);
  Engine engine(model.config);
  const int64_t prompts = engine.add_context(model.material, model.options);
  Pictures pictures(6, 150, 110, prompts);
  for (const image::Fit fit : {image::Fit::stretch, image::Fit::pad, image::Fit::tile}) {
    for (ScoreItem& item : pictures.items) item.fit = fit;
    std::vector<std::shared_ptr<ScoreJob>> jobs;
    for (size_t i = 0; i < 6; i += 2) {
      jobs.push_back(engine.begin_score({pictures.items[i], pictures.items[i + 1]}, model.options));
    }
    for (size_t i = 0; i < 6; ++i) {
      if (i % 2 == 1) continue;
      const auto ahead = engine.score(*jobs[i / 2], model.options, nullptr);
      expect_same_bits(ahead[0], engine.score({&pictures.items[i], 1}, model.options, nullptr)[0]);
      expect_same_bits(ahead[1], engine.score({&pictures.items[i + 1], 1}, model.options, nullptr)[0]);
    }
  }
}

TEST(Engine, CountsTheViewsThatAreDone) {
  SyntheticModel model(64, 3, 84);
  Engine engine(model.config);
  const int64_t prompts = engine.add_context(model.material, model.options);
  Pictures pictures(2, 147, 84, prompts);
  pictures.items[0].fit = image::Fit::tile;  // starts 0 and 63
  for (const bool batch_mean : {false, true}) {
    const ScoreOptions options = with(model.options, {{"compat.batchMean", batch_mean}});
    const auto job = engine.begin_score(pictures.items, options);
    const auto views = views_of(*job);
    EXPECT_EQ(views->done(), 0);
    engine.score(*job, options, nullptr);
    EXPECT_EQ(views->done(), 3) << "batch_mean " << batch_mean;
    CancelToken cancelled;
    cancelled.cancel();
    const auto given_up = engine.begin_score(pictures.items, options);
    EXPECT_THROW(engine.score(*given_up, options, &cancelled), Error);
    EXPECT_EQ(views_of(*given_up)->done(), 0);
  }
}

TEST(Engine, AJobThatNobodyScoresLeavesThePicturesAlone) {
  SyntheticModel model(64, 1, 84);
  Engine engine(model.config);
  for (int round = 0; round < 50; ++round) {
    auto pictures = std::make_unique<Pictures>(4, 300, 200, 1);
    auto job = engine.begin_score(pictures->items, model.options);
    job.reset();
    pictures.reset();  // read after this, the sanitizer build would tell
  }
}

TEST(Engine, CancelledWorkStopsBeforeItsNextPicture) {
  SyntheticModel model(64, 3, 84);
  Engine engine(model.config);
  const int64_t prompts = engine.add_context(model.material, model.options);
  const Pictures pictures(3, 84, 84, prompts);
  CancelToken cancelled;
  cancelled.cancel();
  for (const bool batch_mean : {false, true}) {
    ScoreOptions options = model.options;
    options = with(options, {{"compat.batchMean", batch_mean}});
    try {
      engine.score(pictures.items, options, &cancelled);
      FAIL() << "scored, batch_mean " << batch_mean;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), "E_CANCELLED");
    }
  }
}

#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// No address space is left from now on.
class AddressSpace {
 public:
  AddressSpace() {
    ::getrlimit(RLIMIT_AS, &before_);
    std::ifstream file("/proc/self/statm");
    rlim_t pages = 0;
    file >> pages;
    rlimit now = before_;
    now.rlim_cur = pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE));
    ::setrlimit(RLIMIT_AS, &now);
  }
  ~AddressSpace() { ::setrlimit(RLIMIT_AS, &before_); }

 private:
  rlimit before_{};
};

TEST(Engine, AnAllocationThatFailsIsToldAndTheNextPictureScores) {
  SyntheticModel model(64, 3, 84);
  Engine engine(model.config);
  const int64_t prompts = engine.add_context(model.material, model.options);
  const std::vector<float> small(3 * 84 * 84, 0.25F);
  const std::vector<float> large(3 * 1400 * 1400, 0.25F);
  const auto score = [&](const std::vector<float>& input, int64_t side) {
    return engine.score_preprocessed(input.data(), {1, side, side}, prompts, model.options, true, nullptr);
  };
  const auto before = score(small, 84);
  {
    const AddressSpace full;
    try {
      score(large, 1400);
      FAIL() << "scored without memory";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), "E_MEMORY") << error.what();
      EXPECT_NE(std::string(error.what()).find("could not allocate "), std::string::npos) << error.what();
      EXPECT_NE(error.hint().find("--size"), std::string::npos);
    } catch (const std::bad_alloc&) {
      // bindings/ makes E_MEMORY of it
    }
  }
  expect_same_bits(score(small, 84)[0], before[0]);
}
#endif

TEST(Engine, UniformPictureHasAFiniteScoreUnlessTheReferencesNanIsAskedFor) {
  SyntheticModel model(64, 3, 84);
  model.config.source->tower.std = {1e6, 1e6, 1e6};  // the source sees next to nothing: every patch alike
  Engine engine(model.config);
  const int64_t prompts = engine.add_context(model.material, model.options);
  Pictures pictures(1, 84, 84, prompts);
  std::fill(pictures.pixels[0].begin(), pictures.pixels[0].end(), uint8_t{127});
  ScoreOptions strict = model.options;
  strict = with(strict, {{"dAttnBeta", 4.0}});  // masks every cosine, as a mean above 1/beta does
  const auto kept = engine.score(pictures.items, strict, nullptr);
  EXPECT_TRUE(std::isfinite(kept[0].parts[0]) && std::isfinite(kept[0].map_max()));
  strict = with(strict, {{"compat.emptyRows", "nan"}});
  const auto lost = engine.score(pictures.items, strict, nullptr);
  EXPECT_TRUE(std::isnan(lost[0].parts[0]) && std::isnan(lost[0].map_max()));
}

TEST(Engine, InputsNeedNotBeSquareNorOfTheModelsSize) {
  SyntheticModel model(64, 3, 84);
  model.config.width = 140;
  Engine engine(model.config);
  const int64_t prompts = engine.add_context(model.material, model.options);
  Pictures pictures(1, 200, 90, prompts);
  const auto stretched = engine.score(pictures.items, model.options, nullptr);
  EXPECT_EQ(stretched[0].map_width, 140);
  EXPECT_EQ(stretched[0].map_height, 84);
  pictures.items[0].fit = image::Fit::tile;
  const auto tiled = engine.score(pictures.items, model.options, nullptr);
  EXPECT_EQ(tiled[0].map_width, 200);
  EXPECT_EQ(tiled[0].map_height, 90);
  for (const float value : tiled[0].map) ASSERT_TRUE(value >= 0.0F && value <= 1.0F);
}

TEST(Engine, SizesThatAreNoMultipleOfThePatchAreRefused) {
  SyntheticModel model(64, 3, 84);
  model.config.width = 85;
  try {
    const Engine engine(model.config);
    FAIL() << "85 pixels were accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "E_MODEL_CONFIG");
    EXPECT_NE(std::string(error.what()).find("85 x 84"), std::string::npos) << error.what();
  }
}

TEST(Engine, SettingsThatDoNotFitTheTowerAreNamed) {
  SyntheticModel model(64, 3, 84);
  Engine engine(model.config);
  const int64_t prompts = engine.add_context(model.material, model.options);
  const Pictures pictures(1, 84, 84, prompts);
  const auto code_of = [&](const ScoreOptions& options) -> std::string {
    try {
      engine.score(pictures.items, options, nullptr);
      return "none";
    } catch (const Error& error) {
      return error.code() + ": " + error.what();
    }
  };
  ScoreOptions wrong = model.options;
  wrong = with(wrong, {{"eAttnLayers", 4.0}});
  EXPECT_EQ(code_of(wrong).rfind("E_MODEL_CONFIG: eAttnLayers is 4", 0), 0u) << code_of(wrong);
  wrong = model.options;
  wrong = with(wrong, {{"features", std::vector<double>{1}}});
  EXPECT_EQ(code_of(wrong).rfind("E_MODEL_CONFIG: features lists block 1", 0), 0u) << code_of(wrong);
  wrong = model.options;
  wrong = with(wrong, {{"compat.dAttnLayers", std::vector<double>{2}}});
  EXPECT_EQ(code_of(wrong).rfind("E_MODEL_CONFIG: compat.dAttnLayers lists block 2", 0), 0u)
      << code_of(wrong);
  // A block has one map: listed twice it would have another weight than its listing says. Where all are the
  // same map that weight is real.
  const std::vector<double> twice{3, 3};
  wrong = with(model.options, {{"features", twice}});
  EXPECT_EQ(code_of(wrong), "none");
  wrong = with(wrong, {{"compat.aliasedFeatures", false}});
  EXPECT_EQ(code_of(wrong), "E_MODEL_CONFIG: features lists a block twice: 3");
  EXPECT_THROW(engine.feature_shape(wrong), Error) << "a training asks before it makes a file";
  wrong = with(model.options, {{"compat.dAttnLayers", twice}});
  EXPECT_EQ(code_of(wrong), "E_MODEL_CONFIG: compat.dAttnLayers lists a block twice: 3");
}

TEST(Engine, CancelledCallsStopWithACode) {
  SyntheticModel model(64, 3, 84);
  Engine engine(model.config);
  const int64_t prompts = engine.add_context(model.material, model.options);
  const Pictures pictures(2, 84, 84, prompts);
  CancelToken token;
  token.cancel();
  try {
    engine.score(pictures.items, model.options, &token);
    FAIL() << "went on";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "E_CANCELLED");
  }
}

TEST(Engine, GuidanceChangesTheTextOfEachPicture) {
  SyntheticModel model(64, 3, 84);
  Engine engine(model.config);
  const int64_t prompts = engine.add_context(model.material, model.options);
  const Pictures pictures(1, 84, 84, prompts);
  const double plain = engine.score(pictures.items, model.options, nullptr)[0].parts[0];
  for (const char* guidance : {"pad-suffix", "replace-suffix"}) {
    ScoreOptions guided = model.options;
    guided = with(guided, {{"guidanceAtTest", guidance}});
    EXPECT_NE(engine.score(pictures.items, guided, nullptr)[0].parts[0], plain);
  }
}

TEST(Engine, AScoreThatIsNotFiniteIsAnErrorUnlessNanWasAskedFor) {
  SyntheticModel model(/*width=*/64, /*blocks=*/1, /*side=*/84, {.overflows = true});
  Engine engine(model.config);
  const Pictures pictures(1, 84, 84, engine.add_context(model.material, model.options));
  try {
    engine.score(pictures.items, model.options, nullptr);
    FAIL() << "a score that is not finite was handed out";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "E_WEIGHTS_NONFINITE");
  }
  model.options = with(model.options, {{"compat.emptyRows", "nan"}});
  EXPECT_TRUE(std::isnan(engine.score(pictures.items, model.options, nullptr)[0].parts[0]));
}

TEST(Engine, KeepsItsOwnNumberOfThreadsWhenAnotherIsOpened) {
  SyntheticModel one(/*width=*/64, /*blocks=*/1, /*side=*/84);
  SyntheticModel two(/*width=*/64, /*blocks=*/1, /*side=*/84);
  one.config.threads = 1;
  two.config.threads = 2;
  Engine first(one.config);
  const Pictures pictures(1, 84, 84, first.add_context(one.material, one.options));
  Engine second(two.config);
  EXPECT_EQ(at::get_num_threads(), 2);
  first.score(pictures.items, one.options, nullptr);
  EXPECT_EQ(at::get_num_threads(), 1);
  EXPECT_EQ(second.facts().threads, 2);
}

std::string refusal_at(SyntheticModel& model, Precision precision) {
  model.config.precision = precision;
  try {
    const Engine engine(model.config);
    return "none";
  } catch (const Error& error) {
    return error.code();
  }
}

TEST(Engine, PrecisionsThatTheDeviceLacksAreRefused) {
  SyntheticModel model(64, 2, 56);
  EXPECT_EQ(refusal_at(model, Precision::float16), "E_DEVICE");
  EXPECT_EQ(refusal_at(model, Precision::bfloat16),
            kernels::can_multiply_in(Precision::bfloat16) ? "none" : "E_DEVICE");
  EXPECT_EQ(refusal_at(model, Precision::int8),
            kernels::can_multiply_in(Precision::int8) ? "none" : "E_DEVICE");
  EXPECT_EQ(refusal_at(model, Precision::float32), "none");
}

TEST(Engine, AnotherPrecisionMovesScoresALittleAndNeitherByTheirNeighboursNorThoseOfAFloat32Engine) {
  SyntheticModel model(128, 4, 84);
  Engine exact(model.config);
  const int64_t prompts = exact.add_context(model.material, model.options);
  const Pictures pictures(3, 84, 84, prompts);
  const auto before = exact.score(pictures.items, model.options, nullptr);
  for (const Precision precision : {Precision::bfloat16, Precision::int8}) {
    if (!kernels::can_multiply_in(precision)) continue;
    model.config.precision = precision;
    Engine other(model.config);
    EXPECT_EQ(other.facts().precision, precision);
    EXPECT_LT(other.facts().weight_bytes, exact.facts().weight_bytes);
    ASSERT_EQ(other.add_context(model.material, model.options), prompts);
    const auto together = other.score(pictures.items, model.options, nullptr);
    for (size_t i = 0; i < together.size(); ++i) {
      expect_same_bits(other.score({&pictures.items[i], 1}, model.options, nullptr)[0], together[i]);
      EXPECT_NE(together[i].parts[0], before[i].parts[0]);
      EXPECT_NEAR(together[i].parts[0], before[i].parts[0], 0.02);
      EXPECT_NEAR(together[i].map_max(), before[i].map_max(), 0.02);
    }
  }
  const auto after = exact.score(pictures.items, model.options, nullptr);
  for (size_t i = 0; i < after.size(); ++i) expect_same_bits(after[i], before[i]);
}

TEST(Engine, FindsRegionsOnTheMapAtThePicturesOwnSize) {
  SyntheticModel model(/*width=*/64, /*blocks=*/2, /*side=*/56);
  Engine engine(model.config);
  const int64_t prompts = engine.add_context(model.material, model.options);
  Pictures pictures(2, 90, 70, prompts);
  std::vector<ScoreItem> items = pictures.items;
  std::vector<ScoreOutcome> plain = engine.score(items, model.options, nullptr);
  const auto [lowest, highest] = std::minmax_element(plain[0].map.begin(), plain[0].map.end());
  const double threshold = (*lowest + *highest) / 2;
  items[0].regions_at = threshold;
  items[0].wants_map = false;
  std::vector<ScoreOutcome> outcomes = engine.score(items, model.options, nullptr);
  std::vector<float> second(plain[1].map.size());
  finish_map(items[0], outcomes[0], {});
  finish_map(items[1], outcomes[1], {.map = second.data()});
  const image::PictureView& picture = items[0].picture;
  std::vector<float> full(static_cast<size_t>(picture.width * picture.height));
  image::resize_map(plain[0].map.data(), plain[0].map_width, plain[0].map_height, picture.width,
                    picture.height, full.data());
  const auto expected = image::find_regions(full.data(), picture.width, picture.height, threshold);
  ASSERT_FALSE(expected.empty());
  ASSERT_TRUE(outcomes[0].regions.has_value());
  ASSERT_EQ(outcomes[0].regions->size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    const image::Region& got = (*outcomes[0].regions)[i];
    EXPECT_EQ(std::tie(got.x, got.y, got.width, got.height, got.area, got.peak, got.mean),
              std::tie(expected[i].x, expected[i].y, expected[i].width, expected[i].height, expected[i].area,
                       expected[i].peak, expected[i].mean));
  }
  EXPECT_TRUE(outcomes[0].map.empty());
  EXPECT_EQ(second, plain[1].map);
  EXPECT_FALSE(outcomes[1].regions.has_value());
}

}  // namespace
}  // namespace crane
