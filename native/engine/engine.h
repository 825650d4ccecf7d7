// The engine: towers read once, prompt sets, pictures in, scores and maps out. The one class bindings/ sees;
// free of tensor headers. Every call runs on the compute thread (core/executor.h) unless it says
// otherwise, and throws crane::Error only.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/cancel.h"
#include "core/precision.h"
#include "core/traced_stage.h"
#include "image/fit.h"
#include "image/picture.h"
#include "image/regions.h"
#include "methods/material.h"
#include "methods/patch_count.h"
#include "methods/registry.h"
#include "text/config.h"
#include "train/cells.h"
#include "train/options.h"
#include "vision/config.h"
#include "weights/synth.h"

namespace crane {

struct SourceConfig {
  std::string weights;
  vision::TowerConfig tower;
};

// Tensors that are made when the engine opens, instead of read.
struct RecipeConfig {
  std::string name;  // what messages call it, in the place of a file's path
  std::vector<weights::SynthTensor> tensors;
};

// Where what a start needs is kept for the next one (layers/packed_weights.h).
struct StartCache {
  std::string folder;              // exists
  std::string identity;            // of the weight files as they lie there now; part of a file's name
  int64_t least_bytes = 64 << 20;  // a tower with less is packed in a moment and not kept
};

struct EngineConfig {
  // Files and recipes that together hold the vision and the text tower.
  std::vector<std::string> weights;
  std::vector<RecipeConfig> recipes;
  vision::TowerConfig vision;
  text::TextConfig text;
  std::optional<SourceConfig> source;
  int64_t height = 0;  // input of the model in pixels
  int64_t width = 0;
  std::string device = "cpu";                // or auto, cuda, cuda:N, or a list: cuda:0,cuda:1
  Precision precision = Precision::float32;  // of the vision towers
  int threads = 0;                           // 0: physical cores
  bool pictures_in_parallel = false;         // on a CPU: Engine::lanes()
  std::optional<StartCache> start_cache;
};

struct TowerFacts {
  int64_t width = 0;
  int64_t layers = 0;
  int64_t heads = 0;
  int64_t registers = 0;
  int64_t parameters = 0;
  // Of a vision tower: "mapped" from the start cache, "written" there now, or only in "memory".
  std::string packed = "memory";
};

struct EngineFacts {
  int64_t patch = 0;
  TowerFacts vision;
  TowerFacts text;
  std::optional<TowerFacts> source;
  int64_t joint_width = 0;
  std::string device;
  Precision precision = Precision::float32;
  std::string kernels;  // kernels::chosen_kernels() at this precision
  int threads = 0;
  int64_t weight_bytes = 0;
  int lanes = 1;               // jobs of score() that run at once, where the method does not couple pictures
  std::string packed_failure;  // why packed weights could not be kept
  int64_t working_bytes = 0;   // upper estimate of what one picture needs on top
};

// The part of a score that the engine adds to the method's: the map's largest value after the Gaussian.
inline constexpr const char* k_map_max = "map-max";

struct ScoreOptions {
  std::shared_ptr<const methods::Method> method;
  std::string image_score;  // the part that is the picture's score; empty: the method's first
  double sigma_px = 4.0;
};

// What a method tells of itself with its settings (methods::Facts), and the parts of its scores, map-max
// last.
struct MethodFacts {
  std::vector<std::string> parts;
  bool couples_pictures = false;
  bool is_recordable = false;
  bool may_be_nan = false;
};
MethodFacts facts_of(const methods::Method& method);

// Map values of the first and the last colour.
struct HeatRange {
  double low = 0;
  double high = 1;
};

struct ScoreItem {
  image::PictureView picture;
  int64_t context = 0;
  image::Fit fit = image::Fit::stretch;
  double tile_overlap = 0.25;
  bool wants_map = false;
  // What is made of the map by finish_map() (map_results.h).
  bool map_in_picture_size = false;
  std::optional<double> regions_at;  // threshold of the map
  std::optional<HeatRange> heat;     // the picture with the map over it

  bool needs_map() const { return wants_map || regions_at || heat; }
};

struct ScoreOutcome {
  double score = 0;
  std::vector<double> parts;  // as MethodFacts::parts
  double map_max() const { return parts.back(); }
  // [map_height, map_width], covers exactly the picture; empty unless needed, and after finish_map()
  std::vector<float> map;
  int64_t map_width = 0;
  int64_t map_height = 0;
  std::optional<std::vector<image::Region>> regions;  // in the picture's pixels, by finish_map()
  double preprocess_ms = 0;
  double forward_ms = 0;
  double postprocess_ms = 0;
};

struct InputShape {
  int64_t batch = 0;
  int64_t height = 0;
  int64_t width = 0;
};

// What one file of the feature cache holds.
struct FeatureFacts {
  std::vector<std::pair<std::string, std::vector<int64_t>>> tensors;
  int64_t grid_height = 0;
  int64_t grid_width = 0;
};

struct FeatureItem {
  image::PictureView picture;
  std::string path;
  std::vector<train::MaskCells> masks;  // kept with the features
};

class Lanes;     // lanes.h
class ScoreJob;  // score_job.h

class Engine {
 public:
  // Errors: E_WEIGHTS_*, E_MODEL_CONFIG, E_DEVICE, E_MEMORY.
  explicit Engine(const EngineConfig& config);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  const EngineFacts& facts() const noexcept;

  // Has the method prepare what pictures are compared with; the handle stays valid until removed.
  // Errors: E_PROMPTS, E_WEIGHTS_*.
  int64_t add_context(const methods::Material& material, const ScoreOptions& options);
  void remove_context(int64_t handle);
  // Writes what can be read again as a file of a Material (methods::Context::write). Errors: E_USAGE,
  // E_IO_WRITE.
  void write_context(int64_t handle, const std::string& path,
                     const std::map<std::string, std::string>& metadata) const;
  // What it leaves out of each normal picture (methods::Context::left_out).
  std::vector<methods::PatchCount> left_out(int64_t handle) const;
  // Of each normal picture that the context remembers (Method::score_own): its score and the largest value of
  // its map; the map itself only of one that is alone. Errors: E_USAGE where it remembers none.
  std::vector<ScoreOutcome> own_scores(int64_t handle, const ScoreOptions& options,
                                       const CancelToken* cancel) const;
  // Its text vectors [k, D] row-major, empty where it has none; of Crane: normal, anomalous.
  std::vector<float> text_vectors(int64_t handle) const;

  // Begins to render the pictures into the model's input on the preparation threads, at most two views ahead
  // of score(), which gets the same options. Any thread may call it; the pixels must outlive the job.
  // Errors: E_IMAGE_*, E_USAGE.
  std::shared_ptr<ScoreJob> begin_score(std::vector<ScoreItem> items, const ScoreOptions& options) const;
  // One outcome per item, once per job; on a CPU a score never depends on the other items (unless the method
  // couples pictures), on a GPU its last digits may.
  std::vector<ScoreOutcome> score(ScoreJob& job, const ScoreOptions& options,
                                  const CancelToken* cancel) const;
  // Where jobs of score() run side by side, one thread each, with a method that does not couple pictures;
  // null where they run on the compute thread, with all threads on one job.
  std::shared_ptr<Lanes> lanes(const ScoreOptions& options) const;
  // Both at once.
  std::vector<ScoreOutcome> score(std::span<const ScoreItem> items, const ScoreOptions& options,
                                  const CancelToken* cancel) const;

  // input: [batch, 3, height, width] normalised for the vision tower, not copied.
  std::vector<ScoreOutcome> score_preprocessed(const float* input, InputShape shape, int64_t context,
                                               const ScoreOptions& options, bool wants_map,
                                               const CancelToken* cancel);

  TracedStages trace(const float* input, InputShape shape, int64_t context, const ScoreOptions& options);

  // Stages of preparing a context. guidance: [batch, D] unit rows, or empty.
  TracedStages trace_context(const methods::Material& material, const ScoreOptions& options,
                             std::span<const float> guidance);

  // What write_features writes with this method. E_MODEL_CONFIG where it has no features that can be kept.
  FeatureFacts feature_shape(const ScoreOptions& options) const;
  // Runs the vision towers on pictures stretched to the model's input and writes each one's features, with
  // the counts of its masks, to its file, whole or not at all. Errors: those of scoring, E_IO_WRITE.
  void write_features(std::span<const FeatureItem> items, bool half_precision, const ScoreOptions& options,
                      const CancelToken* cancel) const;

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with jobs on other threads
  friend class ScoreJob;
  friend class Training;
};

// Threads of the compute thread's OpenMP team; 0: physical cores. Runs on the compute thread. Returns the
// count.
int set_compute_threads(int threads);
// "cpu", "cuda:0", ... as libtorch sees them.
std::vector<std::string> available_devices();

}  // namespace crane
