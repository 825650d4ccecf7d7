// A model of finite weights within which values overflow: never a finite score, whatever instructions search.
#include <gtest/gtest.h>

#include "../engine/noise_pictures.h"
#include "../engine/synthetic_model.h"
#include "../weights/error_of.h"
#include "../weights/scratch_folder.h"

namespace crane {
namespace {

using weights::code_of;

ScoreOptions comparing(const methods::Settings& more = {}) {
  methods::Settings settings = {{"bankBlocks", std::vector<double>{2}}, {"turns", 1.0}};
  for (const auto& [name, value] : more) settings[name] = value;
  return {methods::make("normals", settings), "", /*sigma_px=*/2};
}

int64_t learned(Engine& engine, const Pictures& pictures, const ScoreOptions& how) {
  methods::Material material;
  for (const ScoreItem& item : pictures.items) material.normals.push_back(item.picture);
  return engine.add_context(material, how);
}

TEST(OverflowingModel, LearnsNoBankOfAnyKindAndComparesWithNone) {
  const weights::ScratchFolder folder;
  const SyntheticModel sound(64, 3, 84);
  const SyntheticModel overflowing(64, 3, 84, {.overflows = true});
  Pictures pictures(3, 84, 84, 0);
  Engine whole(sound.config);
  whole.write_context(learned(whole, pictures, comparing()), folder.file("bank"), {});
  Engine engine(overflowing.config);
  for (const methods::Settings& kind : std::vector<methods::Settings>{
           {},
           {{"bankKind", std::string("subspace")}},
           {{"bankForeground", true}},
           {{"bankSize", 9.0}},
           {{"bankBlocks", std::vector<double>{1, 3}}},
       }) {
    EXPECT_EQ(code_of([&] { learned(engine, pictures, comparing(kind)); }), "E_WEIGHTS_NONFINITE");
  }
  methods::Material read;
  read.files["bank"] = folder.file("bank");
  for (ScoreItem& item : pictures.items) item.context = engine.add_context(read, comparing());
  EXPECT_EQ(code_of([&] { engine.score(pictures.items, comparing(), nullptr); }), "E_WEIGHTS_NONFINITE");
}

}  // namespace
}  // namespace crane
