// What a start leaves for the next one: the next engine gives the same bits, whatever happened to the files.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "kernels/choice.h"
#include "synthetic_model.h"

namespace crane {
namespace {

namespace fs = std::filesystem;

class StartCacheTest : public ::testing::Test {
 protected:
  StartCacheTest() : model(/*width=*/128, /*blocks=*/3, /*side=*/56) {
    folder = fs::temp_directory_path() / join_text("crane-start-", ::getpid());
    fs::create_directories(folder);
    pixels.resize(static_cast<size_t>(3 * 56 * 56));
    for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<float>(i % 17) / 8 - 1;
  }
  ~StartCacheTest() override { fs::remove_all(folder); }

  void use_cache(const std::string& identity = "weights") {
    model.config.start_cache = StartCache{folder.string(), identity, /*least_bytes=*/0};
    model.material.kept = (folder / "vectors.safetensors").string();
  }

  struct Run {
    std::string vision;
    std::string source;
    std::string failure;
    std::vector<float> values;  // score, then the map
  };

  Run run() {
    Engine engine(model.config);
    const int64_t prompts = engine.add_context(model.material, model.options);
    const auto outcomes =
        engine.score_preprocessed(pixels.data(), {1, 56, 56}, prompts, model.options, true, nullptr);
    Run run{engine.facts().vision.packed, engine.facts().source->packed, engine.facts().packed_failure,
            outcomes.front().map};
    run.values.push_back(static_cast<float>(outcomes.front().score));
    return run;
  }

  fs::path file(const std::string& tower) const {
    return folder / join_text("weights.", tower, ".", kernels::chosen_face("linear"), ".safetensors");
  }

  // Changes one byte, counted from the end.
  static void flip(const fs::path& path, uintmax_t from_end) {
    std::fstream stream(path, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(-static_cast<std::streamoff>(from_end), std::ios::end);
    const char byte = static_cast<char>(stream.get() ^ 0x41);
    stream.seekp(-static_cast<std::streamoff>(from_end), std::ios::end);
    stream.put(byte);
  }

  SyntheticModel model;
  fs::path folder;
  std::vector<float> pixels;
};

TEST_F(StartCacheTest, TheSecondStartMapsWhatTheFirstWroteAndGivesItsBits) {
  const Run plain = run();
  EXPECT_EQ(plain.vision, "memory");
  EXPECT_TRUE(fs::is_empty(folder));
  use_cache();
  const Run first = run();
  const Run second = run();
  if (kernels::can_run("avx2")) {
    EXPECT_EQ(first.vision + first.source, "writtenwritten");
    EXPECT_EQ(second.vision + second.source, "mappedmapped");
  }
  EXPECT_EQ(first.values, plain.values);
  EXPECT_EQ(second.values, plain.values);
}

TEST_F(StartCacheTest, EnginesOfEveryPrecisionKeepFilesOfTheirOwn) {
  use_cache();
  const Run exact = run();
  for (const auto& [precision, share] : {std::pair{Precision::bfloat16, 0.6}, {Precision::int8, 0.45}}) {
    if (!kernels::can_multiply_in(precision)) continue;
    model.config.precision = precision;
    const Run first = run();
    const Run second = run();
    const std::string face(kernels::chosen_face("linear", precision));
    if (face != "ref") {
      EXPECT_EQ(first.vision + second.vision, "writtenmapped");
      // the outliers' weights stay floats: of layers this narrow they are an eighth
      EXPECT_LT(fs::file_size(folder / join_text("weights.vision.", face, ".safetensors")),
                share * static_cast<double>(fs::file_size(file("vision"))));
    }
    EXPECT_EQ(second.values, first.values);
    EXPECT_NE(first.values, exact.values);
  }
  model.config.precision = Precision::float32;
  const Run again = run();
  if (kernels::can_run("avx2")) EXPECT_EQ(again.vision, "mapped");
  EXPECT_EQ(again.values, exact.values);
}

TEST_F(StartCacheTest, DamagedFilesAreReplaced) {
  if (!kernels::can_run("avx2")) return;  // nothing is packed there
  use_cache();
  const Run sound = run();
  const auto expect_replaced = [&](const char* what) {
    const Run mended = run();
    EXPECT_EQ(mended.vision, "written") << what;
    EXPECT_EQ(mended.values, sound.values) << what;
    EXPECT_EQ(run().vision, "mapped") << what;
  };
  fs::resize_file(file("vision"), fs::file_size(file("vision")) / 2);
  expect_replaced("cut short");
  { std::ofstream(file("vision")) << "no weights"; }
  expect_replaced("text");
  fs::copy_file(file("source"), file("vision"), fs::copy_options::overwrite_existing);
  expect_replaced("another tower");
}

TEST_F(StartCacheTest, WeightsThatChangedUnderTheSameIdentityAreNoticed) {
  if (!kernels::can_run("avx2")) return;
  use_cache();
  run();
  SyntheticModel other(/*width=*/128, /*blocks=*/3, /*side=*/56);
  // The last layer in the file's order, in its middle panel: what is packed again for comparison.
  const uintmax_t layer = 4 * 128 * 3 * 128;
  flip(file("vision"), layer / 2 - 64);
  const Run mended = run();
  EXPECT_EQ(mended.vision, "written");
  model.config.start_cache.reset();
  EXPECT_EQ(mended.values, run().values);
}

TEST_F(StartCacheTest, AFolderThatCannotBeWrittenCostsTimeOnly) {
  const Run plain = run();
  use_cache();
  model.config.start_cache->folder = (folder / "not there").string();
  model.material.kept = (folder / "not there" / "vectors").string();
  const Run without = run();
  EXPECT_EQ(without.vision, "memory");
  if (kernels::can_run("avx2")) EXPECT_NE(without.failure.find("not there"), std::string::npos);
  EXPECT_EQ(without.values, plain.values);
}

TEST_F(StartCacheTest, DamagedVectorsAreEncodedAgain) {
  const Run plain = run();
  use_cache();
  run();
  const fs::path vectors = model.material.kept;
  const auto size = fs::file_size(vectors);
  fs::resize_file(vectors, size - 1);
  EXPECT_EQ(run().values, plain.values);
  EXPECT_EQ(fs::file_size(vectors), size);
  // What lies there is believed: the file's name says for what it was made.
  flip(vectors, 1);
  EXPECT_NE(run().values, plain.values);
}

}  // namespace
}  // namespace crane
