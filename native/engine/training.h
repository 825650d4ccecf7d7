// A method's learner on an engine's towers: the second class that bindings/ sees; free of tensor headers.
// Every call runs on the compute thread and throws crane::Error only.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "train/options.h"

namespace crane {

// One labelled picture of a step.
struct TrainItem {
  bool is_anomalous = false;
  std::string features;  // file of the feature cache; empty: the towers run on `picture`
  // Under which name `features` has the counts of the picture's mask; empty: counted from `mask`, or not
  // known, and then only the image loss counts.
  std::string cells;
  image::PictureView picture = {};  // stretched to the model's input; read only without `features`
  const uint8_t* mask = nullptr;    // [height, width] of the model's input, of 0 and 1; null: not known
  std::string class_name;           // what it shows, for methods whose texts name it; else empty
};

// Pictures as the reference trains on them: input [batch, 3, height, width] normalised, masks [batch, height,
// width] of 0 and 1, labels [batch] (1 anomalous). The arrays are not copied.
struct TrainBatch {
  const float* input = nullptr;
  const uint8_t* masks = nullptr;
  const int64_t* labels = nullptr;
  std::vector<std::string> classes;  // [batch], or empty: as TrainItem::class_name
};

class Training {
 public:
  // settings: the learner's own table. Errors: E_METHOD where the method learns nothing, E_MODEL_CONFIG,
  // E_PROMPTS, E_WEIGHTS_*, E_TRAIN_RESUME.
  Training(std::shared_ptr<Engine> engine, std::shared_ptr<const methods::Method> method,
           const methods::LearnerStart& start, const methods::Settings& settings);
  ~Training();

  // Values of a TrainItem's mask.
  int64_t input_pixels() const;

  // One step of the optimiser. Errors: E_TRAIN_DIVERGED, E_TRAIN_FEATURES.
  train::StepLosses step(std::span<const TrainItem> items);
  // The same on a batch that was prepared elsewhere.
  train::StepLosses step_on_pictures(const TrainBatch& batch, InputShape shape, TracedStages* stages);
  // "param.NAME" and, after a step, "grad.NAME" of every learned tensor.
  TracedStages state() const;

  void save(const std::string& path, const std::vector<train::ExtraTensor>& extra,
            const std::map<std::string, std::string>& metadata) const;
  // What pictures are scored with from then on, in the form of the authors' files ("pth") or as safetensors.
  void write_checkpoint(const std::string& path, bool as_pth,
                        const std::map<std::string, std::string>& metadata) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace crane
