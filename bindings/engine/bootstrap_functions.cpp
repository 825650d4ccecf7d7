#include "bootstrap_functions.h"

#include <cmath>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "arguments.h"
#include "async_task.h"
#include "metrics/best_threshold.h"
#include "metrics/image_intervals.h"
#include "results.h"
#include "typed_arrays.h"

namespace crane::bindings {
namespace {

using metrics::BestThreshold;
using metrics::BootstrapSettings;

BootstrapSettings resampling_of(const Napi::Object& js) {
  const double seed = number_of(js, "seed");
  check_input(seed >= 0 && seed < 0x1p53 && std::floor(seed) == seed, "E_USAGE", "seed ", seed,
              ": expected a whole number below 2^53");
  return {static_cast<int64_t>(number_of(js, "resamples")), static_cast<uint64_t>(seed),
          number_of(js, "level")};
}

struct ScoredPictures {
  std::vector<double> scores;
  std::vector<uint8_t> is_anomalous;
};

ScoredPictures scored_pictures_of(const Napi::Object& js) {
  const auto scores = typed_array_of<Napi::Float64Array>(js.Get("scores"), napi_float64_array,
                                                         "a Float64Array for the scores");
  const Napi::Uint8Array labels = bytes_of(js.Get("labels"), "a Uint8Array for the labels");
  ScoredPictures pictures{{scores.Data(), scores.Data() + scores.ElementLength()},
                          {labels.Data(), labels.Data() + labels.ElementLength()}};
  check_input(pictures.scores.size() == pictures.is_anomalous.size(), "E_USAGE", "got ",
              pictures.scores.size(), " scores and ", pictures.is_anomalous.size(), " labels");
  return pictures;
}

// null where there is none.
Napi::Value interval_to_js(Napi::Env env, const std::optional<metrics::Interval>& interval) {
  if (!interval) return env.Null();
  Napi::Object js = Napi::Object::New(env);
  js.Set("low", interval->low);
  js.Set("high", interval->high);
  js.Set("resamples", static_cast<double>(interval->resamples));
  return js;
}

Napi::Object intervals_to_js(Napi::Env env, const metrics::ImageIntervals& intervals) {
  Napi::Object js = Napi::Object::New(env);
  js.Set("auroc", interval_to_js(env, intervals.auroc));
  js.Set("ap", interval_to_js(env, intervals.average_precision));
  js.Set("f1Max", interval_to_js(env, intervals.f1_max));
  return js;
}

Napi::Value image_intervals(const Napi::CallbackInfo& call) {
  return guarded(call, [&] {
    const auto list = call[0].As<Napi::Array>();
    auto classes = std::make_shared<std::vector<metrics::ScoredClass>>();
    for (uint32_t i = 0; i < list.Length(); ++i) {
      const Napi::Object js = list.Get(i).As<Napi::Object>();
      ScoredPictures pictures = scored_pictures_of(js);
      classes->push_back(
          {string_of(js, "stream"), std::move(pictures.scores), std::move(pictures.is_anomalous)});
    }
    const BootstrapSettings resampling = resampling_of(call[1].As<Napi::Object>());
    return run_async(
        call.Env(), io_threads(), [=] { return metrics::image_intervals(*classes, resampling); },
        [](Napi::Env env, metrics::SetIntervals& intervals) -> Napi::Value {
          Napi::Array of_classes = Napi::Array::New(env, intervals.classes.size());
          for (uint32_t i = 0; i < intervals.classes.size(); ++i)
            of_classes.Set(i, intervals_to_js(env, intervals.classes[i]));
          Napi::Object js = Napi::Object::New(env);
          js.Set("classes", of_classes);
          js.Set("mean", intervals_to_js(env, intervals.mean));
          return js;
        });
  });
}

Napi::Value best_threshold_to_js(Napi::Env env, std::optional<BestThreshold>& best) {
  if (!best) return env.Null();
  Napi::Object js = Napi::Object::New(env);
  js.Set("threshold", best->threshold);
  js.Set("f1", best->f1);
  js.Set("precision", best->precision);
  js.Set("recall", best->recall);
  js.Set("low", best->low);
  js.Set("high", best->high);
  js.Set("f1Unseen", best->f1_unseen ? Napi::Number::New(env, *best->f1_unseen) : env.Null());
  return js;
}

Napi::Value best_threshold(const Napi::CallbackInfo& call) {
  return guarded(call, [&] {
    const auto pictures = std::make_shared<ScoredPictures>(scored_pictures_of(call[0].As<Napi::Object>()));
    const Napi::Object options = call[1].As<Napi::Object>();
    const BootstrapSettings resampling = resampling_of(options);
    const std::string stream = string_of(options, "stream");
    return run_async(
        call.Env(), io_threads(),
        [=] {
          const auto [thresholds, levelled] =
              metrics::levels_of_scores(pictures->scores, pictures->is_anomalous);
          return metrics::best_threshold(thresholds, levelled, resampling, stream);
        },
        best_threshold_to_js);
  });
}

// The levels of all maps added, in the order of the calls.
class MapLevels {
 public:
  MapLevels(size_t levels, metrics::MapRange range) : levels_(levels), range_(range) {}

  size_t levels() const { return levels_; }
  metrics::MapRange range() const { return range_; }

  size_t reserve() {
    const std::lock_guard lock(mutex_);
    pictures_.emplace_back();
    return pictures_.size() - 1;
  }

  void put(size_t at, metrics::PictureLevels picture) {
    const std::lock_guard lock(mutex_);
    pictures_[at] = std::move(picture);
  }

  std::optional<BestThreshold> best(const BootstrapSettings& resampling, const std::string& stream) const {
    const std::lock_guard lock(mutex_);
    return metrics::best_threshold(metrics::map_thresholds(levels_, range_), pictures_, resampling, stream);
  }

 private:
  const size_t levels_;
  const metrics::MapRange range_;
  mutable std::mutex mutex_;
  std::vector<metrics::PictureLevels> pictures_;
};

Napi::Value add_map(const Napi::CallbackInfo& call, const std::shared_ptr<MapLevels>& all) {
  const Napi::Float32Array map = map_of(call[0]);
  const std::span<const float> values(map.Data(), map.ElementLength());
  std::span<const uint8_t> mask;
  Keep keep = keep_alive(call[0]);
  if (!call[1].IsNull()) {
    const Napi::Uint8Array bytes = bytes_of(call[1], "a Uint8Array or null for the mask");
    mask = {bytes.Data(), bytes.ElementLength()};
    check_input(mask.size() == values.size(), "E_IMAGE_SHAPE", "a mask of ", mask.size(),
                " pixels for a map of ", values.size());
    keep.push_back(reference_to(call[1]));
  }
  const bool is_anomalous = call[2].ToBoolean().Value();
  const size_t at = all->reserve();
  return run_async(
      call.Env(), io_threads(),
      [=] {
        all->put(at, metrics::levels_of_map(values, mask, is_anomalous, all->levels(), all->range()));
        return true;
      },
      [](Napi::Env env, bool&) -> Napi::Value { return env.Undefined(); }, std::move(keep));
}

Napi::Value best_of_maps(const Napi::CallbackInfo& call, const std::shared_ptr<MapLevels>& all) {
  const Napi::Object options = call[0].As<Napi::Object>();
  const BootstrapSettings resampling = resampling_of(options);
  const std::string stream = string_of(options, "stream");
  return run_async(
      call.Env(), io_threads(), [=] { return all->best(resampling, stream); }, best_threshold_to_js);
}

Napi::Value create_map_levels(const Napi::CallbackInfo& call) {
  return guarded(call, [&]() -> Napi::Value {
    const double levels = call[0].ToNumber().DoubleValue();
    check_input(levels >= 1 && levels <= 0x1p20 && std::floor(levels) == levels, "E_USAGE", levels,
                " levels: expected a whole number from 1 to 2^20");
    metrics::MapRange range;
    if (call[1].IsNumber()) range.low = call[1].ToNumber().DoubleValue();
    if (call[2].IsNumber()) range.high = call[2].ToNumber().DoubleValue();
    check_input(std::isfinite(range.low) && std::isfinite(range.high) && range.low < range.high, "E_USAGE",
                "maps from ", range.low, " to ", range.high, ": expected a range");
    const auto all = std::make_shared<MapLevels>(static_cast<size_t>(levels), range);
    Napi::Object js = Napi::Object::New(call.Env());
    const auto set = [&](const char* name, Napi::Value (*method)(const Napi::CallbackInfo&,
                                                                 const std::shared_ptr<MapLevels>&)) {
      const auto bound = [all, method](const Napi::CallbackInfo& info) {
        return guarded(info, [&] { return method(info, all); });
      };
      js.Set(name, Napi::Function::New(call.Env(), bound, name));
    };
    set("add", add_map);
    set("bestThreshold", best_of_maps);
    return js;
  });
}

}  // namespace

void add_bootstrap_functions(Napi::Env env, Napi::Object exports) {
  exports.Set("imageIntervals", Napi::Function::New<image_intervals>(env, "imageIntervals"));
  exports.Set("bestThreshold", Napi::Function::New<best_threshold>(env, "bestThreshold"));
  exports.Set("createMapLevels", Napi::Function::New<create_map_levels>(env, "createMapLevels"));
}

}  // namespace crane::bindings
