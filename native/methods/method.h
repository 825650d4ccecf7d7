// The contract between a method and everything else: engine, bindings, training know `Method` only.
//
// A method is one folder here with a class made from its settings (settings.h), one line in registry.cpp, and
// one descriptor in src/methods/ that tells the same facts to TypeScript. Its folder may use every room below
// this one: vision, text, attention, layers, train, image, weights. What it owns there: how settings are
// read, what a context is, the arithmetic, its checkpoints, its learner.
//
// Everything runs on the compute thread. prepare, score and features are called in inference mode; a method
// that needs gradients there (adaptation at test time) opens `c10::InferenceMode off(false)` and
// `at::AutoGradMode on(true)` around them and clones what it got from outside. Weights of the towers are
// never inference tensors, so a learner may differentiate through them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "image/taps.h"
#include "methods/learner.h"
#include "methods/material.h"
#include "methods/named_tensor.h"
#include "methods/patch_count.h"
#include "methods/settings.h"
#include "tensors/trace.h"
#include "text/lazy_tower.h"
#include "vision/tower.h"

namespace crane::methods {

// What an engine holds on one device; `source` is null without a spatial source.
struct Towers {
  const vision::Tower* vision = nullptr;
  const text::LazyTower* text = nullptr;
  const vision::SpatialSource* source = nullptr;
  at::Device device{at::kCPU};
  int64_t height = 0;  // input of the model in pixels
  int64_t width = 0;
  // The vision tower's blocks as plain tensors, read anew from the weights: for a learner whose gradients
  // pass through them. As large again as the tower.
  std::function<std::vector<layers::Block>()> plain_blocks;
};

// What a picture is compared with, made once from texts, checkpoints and normal pictures and used for any
// number of pictures: encoded texts, heads, banks. An engine holds many. A method that couples pictures may
// keep what it has learned in a mutable member, since then no two calls run at once; every other's may
// (engine/lanes.h).
class Context {
 public:
  virtual ~Context() = default;
  // The text vectors it stands for, [k, D]; undefined where it has none. Of research interest only.
  virtual at::Tensor text_vectors() const { return {}; }
  // Writes it to a file that prepare() reads again, whole or not at all; metadata: what the caller wants to
  // find there. Errors: E_IO_WRITE; E_USAGE where there is no such file.
  virtual void write(const std::string& path, const std::map<std::string, std::string>& metadata) const;
  // Normal pictures that it remembers (Method::score_own).
  virtual int64_t own_pictures() const { return 0; }
  // What it leaves out of each of its normal pictures; empty where it takes them whole.
  virtual std::vector<PatchCount> left_out() const { return {}; }
};

// Named parts of a picture's score, told in Facts::parts, and its map.
struct Scores {
  std::vector<at::Tensor> parts;  // [B] each, in the order of Facts::parts
  // [B, height, width] before the Gaussian, of the input's size; a method may give another size, but then its
  // pictures can only be stretched, not padded or tiled.
  at::Tensor map;
};

struct Input {
  at::Tensor image;                      // [B, 3, H, W] normalised for the vision tower, on its device
  std::vector<const Context*> contexts;  // one per picture, made by this method's prepare()
};

// What the engine has to know of a method with its settings.
struct Facts {
  // At least one; the caller chooses by name which of them, or "map-max" (the map's largest value after the
  // Gaussian, which the engine adds itself), is the picture's score.
  std::vector<std::string> parts;
  // Scores depend on the pictures that share a call, or that came before with the same context: a call's
  // pictures go through score() together and in order, in no smaller parts. Everywhere else a score on a CPU
  // must not depend on its neighbours by a single bit.
  bool couples_pictures = false;
  // The same work every time, whatever the picture: a GPU may record score() and replay it.
  bool is_recordable = false;
  // How pictures are resized to the input.
  image::Filter resize = image::Filter::bicubic;
  // A score may be NaN because somebody asked for it; otherwise NaN is E_WEIGHTS_NONFINITE.
  bool may_be_nan = false;
};

// The frozen features of one picture as training keeps them: the names and shapes of one file of the feature
// cache.
struct FeatureTensor {
  std::string name;
  std::vector<int64_t> shape;
};
struct FeatureShape {
  std::vector<FeatureTensor> tensors;
  vision::Grid grid;  // cells that a mask's pixels are counted in
};

class Method {
 public:
  // `settings`: as make() got them; methods with equal names and settings are the same to the engine.
  Method(std::string name, Settings settings) : name_(std::move(name)), settings_(std::move(settings)) {}
  virtual ~Method() = default;
  Method(const Method&) = delete;
  Method& operator=(const Method&) = delete;

  const std::string& name() const noexcept { return name_; }
  const Settings& settings() const noexcept { return settings_; }
  bool is_same(const Method& other) const { return name_ == other.name_ && settings_ == other.settings_; }

  virtual const Facts& facts() const = 0;

  // normals: material.normals as inputs of the model, [1, 3, H, W] on the device. Errors: E_PROMPTS for
  // material that is missing or does not fit, E_WEIGHTS_* of the readers.
  virtual std::shared_ptr<const Context> prepare(const Towers& towers, const Material& material,
                                                 std::span<const at::Tensor> normals) const = 0;

  // Errors: E_MODEL_CONFIG for settings that do not fit the towers.
  virtual Scores score(const Towers& towers, const Input& input, Trace* trace) const = 0;

  // The scores of one of the context's own normal pictures (Context::own_pictures) against the context
  // without it, as score() gives them for a picture alone. Errors: E_USAGE where a context remembers none.
  virtual Scores score_own(const Towers& towers, const Context& context, int64_t picture) const;

  // What features() gives of one picture; none where nothing of a picture is frozen.
  // Errors: E_MODEL_CONFIG for settings that features() would refuse: a training asks before it makes a file.
  virtual std::optional<FeatureShape> feature_shape(const Towers& /*towers*/) const { return std::nullopt; }
  // image [B, 3, H, W] -> per picture what feature_shape() tells. Unless the method couples pictures, no bit
  // depends on the batch; if it does, features are never kept.
  virtual std::vector<NamedTensors> features(const Towers& /*towers*/, const at::Tensor& /*image*/) const {
    return {};
  }

  // A learner with these settings (its own table, of what the command line calls training options); null
  // where nothing is learned. Called outside inference mode. Errors: E_PROMPTS, E_WEIGHTS_*, E_TRAIN_RESUME,
  // E_MODEL_CONFIG.
  virtual std::unique_ptr<Learner> learner(const Towers& /*towers*/, const LearnerStart& /*start*/,
                                           const Settings& /*settings*/) const {
    return nullptr;
  }

  // Records the stages of prepare(), for parity tests and research; guidance [B, D] may be undefined.
  virtual void trace_context(const Towers& /*towers*/, const Material& /*material*/,
                             const at::Tensor& /*guidance*/, Trace& /*trace*/) const {}

 private:
  std::string name_;
  Settings settings_;
};

// A context as the method made it. Errors: E_USAGE for one that another method prepared.
template <typename Own>
const Own& own_context(const Context& context, std::string_view method) {
  const Own* own = dynamic_cast<const Own*>(&context);
  check_input(own != nullptr, "E_USAGE", "this context was not prepared by method ", method);
  return *own;
}

}  // namespace crane::methods
