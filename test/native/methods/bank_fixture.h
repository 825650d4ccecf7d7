// Banks of noise pictures through an engine of toy size, and what is scored against them.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "../engine/noise_pictures.h"
#include "../engine/synthetic_model.h"

namespace crane {

// The method with `settings`, and `more` in their place where both name one.
inline ScoreOptions comparing_with(methods::Settings settings, const methods::Settings& more) {
  for (const auto& [name, value] : more) settings[name] = value;
  return {methods::make("normals", settings), "", /*sigma=*/2};
}

class BankTest : public ::testing::Test {
 protected:
  // `usual`: how pictures are learned and compared where a test does not say it.
  explicit BankTest(ScoreOptions usual) : usual_(std::move(usual)) {}

  int64_t learn(const std::vector<size_t>& which) { return learn(which, usual_); }
  int64_t learn(const std::vector<size_t>& which, const ScoreOptions& how) {
    methods::Material material;
    for (const size_t i : which) material.normals.push_back(pictures.items[i].picture);
    return engine.add_context(material, how);
  }
  int64_t joined(const std::vector<int64_t>& banks) { return joined(banks, usual_); }
  int64_t joined(const std::vector<int64_t>& banks, const ScoreOptions& how) {
    methods::Material parts;
    parts.handles["bank"] = banks;
    return engine.add_context(parts, how);
  }
  int64_t opened(const std::string& path) { return opened(path, usual_); }
  int64_t opened(const std::string& path, const ScoreOptions& how) {
    methods::Material material;
    material.files["bank"] = path;
    return engine.add_context(material, how);
  }
  // With its map.
  ScoreOutcome score(size_t which, int64_t bank) { return score(which, bank, usual_); }
  ScoreOutcome score(size_t which, int64_t bank, const ScoreOptions& how) {
    ScoreItem item = pictures.items[which];
    item.context = bank;
    item.wants_map = true;
    return engine.score(std::vector{item}, how, nullptr).front();
  }

  SyntheticModel model{64, 3, 84};
  Engine engine{model.config};
  Pictures pictures{5, 100, 90, 0};

 private:
  ScoreOptions usual_;
};

}  // namespace crane
