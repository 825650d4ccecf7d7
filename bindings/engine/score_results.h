// What the engine's outcomes become in JavaScript: ScoreResult of src/addon/engine.ts.
#pragma once

#include <napi.h>

#include <optional>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "filled_array.h"

namespace crane::bindings {

// A delivery of run_async_delivered.
class ScoreResults {
 public:
  // items: whose outcomes they are; their pictures are read while it fills.
  ScoreResults(const ScoreOptions& options, std::vector<ScoreItem> items)
      : parts_(facts_of(*options.method).parts), items_(std::move(items)) {}

  void take(Napi::Env env, const std::vector<ScoreOutcome>& outcomes);
  void fill(std::vector<ScoreOutcome>& outcomes) const;
  Napi::Value operator()(Napi::Env env, std::vector<ScoreOutcome>& outcomes) const;

 private:
  struct Arrays {
    std::optional<FilledArray<float>> map;
    int64_t map_width = 0;
    int64_t map_height = 0;
    std::optional<FilledArray<uint8_t>> heat;
  };

  std::vector<std::string> parts_;  // names
  std::vector<ScoreItem> items_;
  std::vector<Arrays> arrays_;
};

}  // namespace crane::bindings
