// Small models made by the weight recipe, for tests that need an engine but no trained weights.
#pragma once

#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "core/error.h"
#include "engine/engine.h"
#include "methods/method.h"
#include "weights/synth.h"

namespace crane {

// Of the spatial source, and of the space that vision and text share.
struct SyntheticSizes {
  int64_t source_width = 128;
  int64_t source_blocks = 2;
  int64_t joint_width = 64;
  bool overflows = false;  // the vision tower's values, in its first block; its weights are finite
};

// The same call with some of the method's settings changed.
inline ScoreOptions with(const ScoreOptions& options, const methods::Settings& changes) {
  methods::Settings settings = options.method->settings();
  for (const auto& [name, value] : changes) settings[name] = value;
  ScoreOptions changed = options;
  changed.method = methods::make(options.method->name(), settings);
  return changed;
}

class SyntheticModel {
 public:
  // vision: width, blocks; a spatial source beside it.
  SyntheticModel(int64_t width, int64_t blocks, int64_t side, const SyntheticSizes& sizes = {})
      : folder_(std::filesystem::temp_directory_path() /
                join_text("crane-synthetic-", ::getpid(), "-", next_++)) {
    std::filesystem::create_directories(folder_);
    std::vector<weights::SynthTensor> clip;
    vit(clip, "visual", width, blocks, /*grid=*/4);
    if (sizes.overflows) {
      for (weights::SynthTensor& tensor : clip) {
        if (tensor.name != "visual.blocks.0.fc1.weight" && tensor.name != "visual.blocks.0.fc2.weight")
          continue;
        tensor.column_from = 0;
        tensor.column_scale = 1e30;
      }
    }
    add(clip, "visual.proj", {width, sizes.joint_width}, spread(width));
    add(clip, "text.tokens", {10, 64}, 3);
    add(clip, "text.pos", {9, 64}, 4);
    transformer(clip, "text", 64, 3);
    norm(clip, "text.ln_final", 64);
    add(clip, "text.proj", {64, sizes.joint_width}, 3);
    weights::write_synth(path("clip"), clip, {});
    std::vector<weights::SynthTensor> source;
    vit(source, "visual", sizes.source_width, sizes.source_blocks, /*grid=*/4);
    weights::write_synth(path("source"), source, {});
    std::vector<weights::SynthTensor> prompts;
    add(prompts, "ctx_pos", {1, 1, 3, 64}, 3);
    add(prompts, "ctx_neg", {1, 1, 3, 64}, 3);
    add(prompts, "compound_prompts_text.0", {2, 64}, 3);
    weights::write_synth(path("prompts"), prompts, {});

    config.weights = {path("clip")};
    config.vision.std = {0.25, 0.25, 0.25};
    config.vision.mean = {0.5, 0.5, 0.5};
    config.source = SourceConfig{path("source"), config.vision};
    config.height = side;
    config.width = side;
    config.threads = 2;
    options.method = methods::make("crane", {{"eAttnLayers", 1.0},
                                             {"features", std::vector<double>{static_cast<double>(blocks)}},
                                             {"dAttn", true}});
    material.files["prompts"] = path("prompts");
    material.texts["normal"] = {{1, 2, 2, 2, 5, 9, 0, 0, 0}};
    material.texts["anomalous"] = {{1, 2, 2, 2, 6, 5, 9, 0, 0}};
  }
  ~SyntheticModel() { std::filesystem::remove_all(folder_); }

  EngineConfig config;
  ScoreOptions options;
  methods::Material material;

 private:
  std::string path(const char* name) const {
    return (folder_ / (std::string(name) + ".safetensors")).string();
  }

  // Exponent for which a sum over `width` terms keeps its size.
  static int spread(int64_t width) {
    return static_cast<int>(std::lround(std::log2(static_cast<double>(width)) / 2));
  }

  static void add(std::vector<weights::SynthTensor>& to, std::string name, std::vector<int64_t> shape,
                  int exponent, double base = 0) {
    weights::SynthTensor tensor;
    tensor.salt = "synthetic";
    tensor.name = std::move(name);
    tensor.shape = std::move(shape);
    tensor.exponent = exponent;
    tensor.base = base;
    to.push_back(std::move(tensor));
  }
  static void norm(std::vector<weights::SynthTensor>& to, const std::string& name, int64_t width) {
    add(to, name + ".weight", {width}, 2, 1);
    add(to, name + ".bias", {width}, 3);
  }
  static void linear(std::vector<weights::SynthTensor>& to, const std::string& name, int64_t out,
                     int64_t in) {
    add(to, name + ".weight", {out, in}, spread(in));
    add(to, name + ".bias", {out}, 4);
  }
  static void transformer(std::vector<weights::SynthTensor>& to, const std::string& tower, int64_t width,
                          int64_t blocks) {
    for (int64_t i = 0; i < blocks; ++i) {
      const std::string block = join_text(tower, ".blocks.", i);
      norm(to, block + ".ln1", width);
      linear(to, block + ".qkv", 3 * width, width);
      linear(to, block + ".out", width, width);
      norm(to, block + ".ln2", width);
      linear(to, block + ".fc1", 4 * width, width);
      linear(to, block + ".fc2", width, 4 * width);
    }
  }
  static void vit(std::vector<weights::SynthTensor>& to, const std::string& tower, int64_t width,
                  int64_t blocks, int64_t grid) {
    add(to, tower + ".patch.weight", {width, 3, 14, 14}, 3);
    add(to, tower + ".cls", {width}, 2);
    add(to, tower + ".pos", {1 + grid * grid, width}, 1);
    transformer(to, tower, width, blocks);
    norm(to, tower + ".ln_post", width);
  }

  std::filesystem::path folder_;
  static inline int next_ = 0;
};

}  // namespace crane
