// What an Engine holds; private to engine*.cpp.
#pragma once

#include <ATen/Parallel.h>

#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "core/error.h"
#include "engine/device_pass.h"
#include "engine/engine.h"
#include "engine/lanes.h"
#include "image/normalise.h"
#include "layers/packed_weights.h"
#include "methods/method.h"
#include "tensors/torch_errors.h"
#include "text/lazy_tower.h"
#include "vision/tower.h"

namespace crane {

// Views of one forward pass on a GPU: eight fill it (11,000 rows in every product at 518 x 518), and the next
// eight are sent and resized meanwhile.
inline constexpr int64_t k_views_at_once = 8;

struct Engine::State {
  EngineConfig config;
  EngineFacts facts;
  at::Device device{at::kCPU};
  vision::Tower vision;
  text::LazyTower text;
  std::unique_ptr<vision::SpatialSource> source;
  image::Normalisation normalisation{};

  // The same engine on the further devices of a list; only whole batches are dealt to them.
  std::vector<std::unique_ptr<State>> replicas;

  mutable DevicePasses passes;   // used by the compute thread alone
  std::shared_ptr<Lanes> lanes;  // null unless asked for, and on a GPU

  mutable std::mutex contexts_mutex;  // of the first device: also guards the replicas' contexts
  std::map<int64_t, std::shared_ptr<const methods::Context>> contexts;
  int64_t next_handle = 1;

  // Reads the towers. Errors: see Engine::Engine.
  void open(const EngineConfig& from, at::Device on);
  std::shared_ptr<const methods::Context> prepare(const methods::Material& material,
                                                  const ScoreOptions& options) const;

  // All engines share the one compute thread, and its team would otherwise keep the count of whichever was
  // opened last: then an engine's scores could change their last bits when another one is opened.
  void use_own_threads() const {
    if (at::get_num_threads() != facts.threads) at::set_num_threads(facts.threads);
  }

  // Runs `load` with what the start cache holds for a tower, and keeps what it lacked. Returns
  // TowerFacts::packed.
  // Errors: those of `load`; E_FILE_CHANGED where `all` was written to meanwhile.
  std::string with_packed_weights(std::string_view tower, const weights::CanonicalWeights& all,
                                  const std::function<void(layers::PackedWeights*)>& load);

  // Reads the weights again.
  std::vector<layers::Block> plain_blocks() const;
  methods::Towers towers() const {
    return {
        &vision, &text, source.get(), device, config.height, config.width, [this] { return plain_blocks(); }};
  }

  std::shared_ptr<const methods::Context> context_of(int64_t handle) const {
    const std::lock_guard lock(contexts_mutex);
    const auto found = contexts.find(handle);
    check_input(found != contexts.end(), "E_PROMPTS", "no prepared context has the handle ", handle);
    return found->second;
  }

  // The same context on this device and on every replica's.
  std::vector<std::shared_ptr<const methods::Context>> context_of_all(int64_t handle) const {
    std::vector<std::shared_ptr<const methods::Context>> all{context_of(handle)};
    const std::lock_guard lock(contexts_mutex);
    for (const auto& replica : replicas) all.push_back(replica->contexts.at(handle));
    return all;
  }

  void check_size(int64_t height, int64_t width) const {
    const int64_t patch = vision.patch();
    if (height <= 0 || width <= 0 || height % patch != 0 || width % patch != 0) {
      const auto nearest = [patch](int64_t side) {
        return std::max<int64_t>(1, (side + patch / 2) / patch) * patch;
      };
      throw Error(
          "E_MODEL_CONFIG",
          join_text("an input of ", width, " x ", height, " pixels is no multiple of the patch of ", patch),
          join_text("the nearest is --size ", nearest(width), "x", nearest(height)));
    }
    vision.check_grid(vision.grid_for(height, width));
    if (source) {
      check_input(source->grid_for(height, width).count() > 0, "E_MODEL_CONFIG", "an input of ", width, " x ",
                  height, " pixels is smaller than one patch of the spatial source");
    }
  }

  // One call of the method. parts: [B] each, by picture then by part; maps: [B, H, W] before the Gaussian, on
  // the engine's device.
  struct Forward {
    std::vector<std::vector<double>> parts;
    at::Tensor maps;
  };
  Forward forward(const at::Tensor& images, std::vector<const methods::Context*> contexts,
                  const ScoreOptions& options, Trace* trace) const;

  // As the method wants its pictures resized.
  image::ViewPlan plan_of(const ScoreItem& item, const methods::Method& method) const {
    image::ViewPlan plan = image::plan_views(item.picture.width, item.picture.height, config.width,
                                             config.height, item.fit, item.tile_overlap);
    plan.filter = method.facts().resize;
    return plan;
  }
  // One view as the model's input, [1, 3, height, width], on the CPU. Thread-safe.
  at::Tensor input_of(const ScoreItem& item, const image::ViewPlan& plan, const image::View& view) const;
  // The job's picture `at`; pictures are taken in their order.
  ScoreOutcome score_alone(ScoreJob& job, size_t at, const ScoreOptions& options,
                           const CancelToken* cancel) const;
  // Whole batches on a GPU, resized there too (device.cpp).
  std::vector<ScoreOutcome> score_on_device(const ScoreJob& job, const ScoreOptions& options,
                                            const CancelToken* cancel) const;
  // Every view of every item in one call of the method, where it couples pictures.
  std::vector<ScoreOutcome> score_together(ScoreJob& job, const ScoreOptions& options,
                                           const CancelToken* cancel) const;
};

}  // namespace crane
