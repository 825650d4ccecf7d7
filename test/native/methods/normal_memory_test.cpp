// Memories of normal pictures as files: what is read scores as what was written, and nothing else is read.
#include "methods/normal_memory.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "../engine/noise_pictures.h"
#include "../engine/synthetic_model.h"

namespace crane::methods {
namespace {

constexpr int64_t k_side = 84;

struct Example {
  SyntheticModel model{64, 3, k_side};
  Engine engine{model.config};
  std::filesystem::path folder =
      std::filesystem::temp_directory_path() / join_text("crane-memory-", ::getpid(), "-", next_++);
  Pictures pictures{3, k_side, k_side, 0};

  Example() { std::filesystem::create_directories(folder); }
  ~Example() { std::filesystem::remove_all(folder); }

  std::string path(const char* name) const { return (folder / name).string(); }
  static ScoreOptions winclip(const Settings& settings = {}) { return {make("winclip", settings), "", 0}; }

  static Material sentences() {
    Material material;
    material.texts["normal"] = {{1, 2, 5, 9, 0, 0, 0, 0, 0}};
    material.texts["anomalous"] = {{1, 6, 5, 9, 0, 0, 0, 0, 0}};
    return material;
  }
  int64_t learned(const ScoreOptions& options) {
    Material normal;
    normal.normals = {pictures.items[0].picture, pictures.items[1].picture};
    return engine.add_context(normal, options);
  }
  ScoreOutcome score(const Material& material, const ScoreOptions& options) {
    ScoreItem item = pictures.items[2];
    item.wants_map = true;
    item.context = engine.add_context(material, options);
    return engine.score(std::vector{item}, options, nullptr)[0];
  }
  // The code that reading this file ends with.
  std::string read(const std::string& file, const ScoreOptions& options = winclip()) {
    Material material;
    material.files["memory"] = file;
    try {
      engine.add_context(material, options);
      return "none";
    } catch (const Error& error) {
      return error.code();
    }
  }

 private:
  static inline int next_ = 0;
};

TEST(NormalMemory, OfAFileScoresAsTheOneThatWasWritten) {
  Example example;
  const ScoreOptions options = Example::winclip();
  const int64_t handle = example.learned(options);
  example.engine.write_context(handle, example.path("memory"), {{"own", "words"}});
  Material held = Example::sentences();
  held.handles["memory"] = {handle};
  Material read = Example::sentences();
  read.files["memory"] = example.path("memory");
  const ScoreOutcome expected = example.score(held, options);
  const ScoreOutcome found = example.score(read, options);
  EXPECT_EQ(found.score, expected.score);
  EXPECT_EQ(found.map, expected.map);
  EXPECT_NE(found.map, example.score(Example::sentences(), options).map);
}

TEST(NormalMemory, OfAnotherMethodOtherPartsOrAnotherInputIsRefused) {
  Example example;
  example.engine.write_context(example.learned(Example::winclip()), example.path("memory"), {});
  EXPECT_EQ(example.read(example.path("memory")), "none");
  EXPECT_EQ(example.read(example.path("memory"), Example::winclip({{"windowSides", std::vector<double>{2}}})),
            "E_NORMALS");
  const Settings of_blocks{{"features", std::vector<double>{2, 3}}};
  EXPECT_EQ(example.read(example.path("memory"), {make("vand", of_blocks), "", 0}), "E_NORMALS");
  SyntheticModel smaller(64, 3, 56);
  Engine other(smaller.config);
  Material material;
  material.files["memory"] = example.path("memory");
  try {
    other.add_context(material, Example::winclip());
    ADD_FAILURE() << "a memory of another input was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "E_NORMALS");
  }
}

// Whatever byte is another one: a coded error, or what lies outside of the rows and changes nothing.
TEST(NormalMemory, DamagedFilesAreRefused) {
  Example example;
  example.engine.write_context(example.learned(Example::winclip()), example.path("memory"), {});
  std::ifstream in(example.path("memory"), std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(in)), {});
  const auto code_with = [&](const std::function<void(std::string&)>& change) {
    std::string bytes = whole;
    change(bytes);
    std::ofstream(example.path("damaged"), std::ios::binary | std::ios::trunc) << bytes;
    return example.read(example.path("damaged"));
  };
  EXPECT_EQ(code_with([](std::string& bytes) { bytes[bytes.size() - 3] ^= 1; }), "E_NORMALS");
  EXPECT_EQ(code_with([](std::string& bytes) { bytes[bytes.size() / 2] ^= 64; }), "E_NORMALS");
  EXPECT_EQ(code_with([](std::string& bytes) { bytes.resize(bytes.size() - 4); }), "E_WEIGHTS_TRUNCATED");
  EXPECT_EQ(code_with([](std::string& bytes) { bytes.clear(); }).substr(0, 10), "E_WEIGHTS_");
  for (const char* key :
       {"crane.memory.method", "crane.memory.crc32.0", "\"crane.memory\"", "part.1", "parts"}) {
    const std::string code = code_with([&](std::string& bytes) { bytes[bytes.find(key) + 3] ^= 1; });
    EXPECT_EQ(code, "E_NORMALS") << key;
  }
}

TEST(NormalMemory, OfNothingIsNotWritten) {
  const Example example;
  const NormalMemory empty;
  try {
    empty.write(example.path("empty"), {});
    ADD_FAILURE() << "a memory of no picture was written";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "E_NORMALS");
  }
  EXPECT_FALSE(std::filesystem::exists(example.path("empty")));
}

}  // namespace
}  // namespace crane::methods
