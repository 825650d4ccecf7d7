// Prompts while they are learned, on an engine's towers: the second class that bindings/ sees; free of tensor
// headers. Every call runs on the compute thread and throws crane::Error only.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "engine/engine.h"
#include "train/options.h"

namespace crane {

// Goes on with a training saved in this file.
struct SavedTrainingFile {
  std::string path;
};

using TrainingStart = std::variant<PromptFiles, train::FreshPrompts, SavedTrainingFile>;

// One labelled picture of a step from the feature cache.
struct TrainItem {
  std::string features;  // file of the cache
  const uint32_t* cells =
      nullptr;  // anomalous pixels of each patch; null: not known, only the image loss counts
  size_t cell_count = 0;
  bool is_anomalous = false;
};

// Pictures as the reference trains on them: input [batch, 3, height, width] normalised, masks [batch, height,
// width] of 0 and 1, labels [batch] (1 anomalous). Not copied.
struct TrainBatch {
  const float* input = nullptr;
  const uint8_t* masks = nullptr;
  const int64_t* labels = nullptr;
};

enum class PromptFormat { pth, safetensors };

class Training {
 public:
  // Errors: E_PROMPTS, E_WEIGHTS_*, E_TRAIN_RESUME.
  Training(std::shared_ptr<Engine> engine, const TrainingStart& start, const train::TrainOptions& options);
  ~Training();

  // One step of the optimiser. Errors: E_TRAIN_DIVERGED, E_TRAIN_FEATURES.
  train::StepLosses step(std::span<const TrainItem> items, const ScoreOptions& options);
  // The same with the vision towers running on the pictures.
  train::StepLosses step_on_pictures(const TrainBatch& batch, InputShape shape, const ScoreOptions& options,
                                     TracedStages* stages);
  // "param.NAME" and, after a step, "grad.NAME" of every learned tensor.
  TracedStages state() const;

  void save(const std::string& path, const std::vector<train::ExtraTensor>& extra,
            const std::map<std::string, std::string>& metadata) const;
  void write_prompts(const std::string& path, PromptFormat format,
                     const std::map<std::string, std::string>& metadata) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace crane
