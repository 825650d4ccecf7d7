#include "metric_functions.h"

#include <memory>
#include <string>
#include <vector>

#include "arguments.h"
#include "async_task.h"
#include "core/cpu.h"
#include "metric_results.h"
#include "metrics/drawn_figures.h"
#include "metrics/evaluator.h"
#include "results.h"
#include "typed_arrays.h"

namespace crane::bindings {
namespace {

using metrics::Evaluator;

// JavaScript thread. Emptied by dispose(); tasks in flight keep the evaluator until they end.
using EvaluatorSlot = std::shared_ptr<std::shared_ptr<Evaluator>>;

std::shared_ptr<Evaluator> alive(const EvaluatorSlot& slot) {
  check_input(*slot != nullptr, "E_DISPOSED", "the evaluator was disposed");
  return *slot;
}

std::optional<double> optional_number(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  if (value.IsUndefined() || value.IsNull()) return std::nullopt;
  return number_of(object, name);
}

bool is_given(const Napi::Value& value) { return !value.IsUndefined() && !value.IsNull(); }

// A picture with copies of what the caller owns: the caller may change or transfer its arrays at once.
struct OwnedPicture {
  metrics::MeasuredPicture view;
  std::vector<float> map;
  std::vector<uint8_t> mask;
};

std::shared_ptr<OwnedPicture> owned_picture_of(const Napi::Object& js) {
  auto owned = std::make_shared<OwnedPicture>();
  metrics::MeasuredPicture& view = owned->view;
  view.name = string_of(js, "name");
  view.score = optional_number(js, "score");
  if (const Napi::Value label = js.Get("label"); is_given(label))
    view.is_anomalous = label.ToBoolean().Value();
  if (!is_given(js.Get("map")) && !is_given(js.Get("mask"))) return owned;
  view.width = static_cast<int64_t>(number_of(js, "width"));
  view.height = static_cast<int64_t>(number_of(js, "height"));
  const double needed = number_of(js, "width") * number_of(js, "height");
  const auto check_length = [&](size_t length, const char* what) {
    check_input(static_cast<double>(length) == needed, "E_IMAGE_SHAPE", view.name, ": a ", what, " of ",
                view.width, " x ", view.height, " needs ", needed, " values, got ", length);
  };
  if (const Napi::Value map = js.Get("map"); is_given(map)) {
    const Napi::Float32Array values = map_of(map);
    check_length(values.ElementLength(), "map");
    owned->map.assign(values.Data(), values.Data() + values.ElementLength());
    view.map = owned->map.data();
  }
  if (const Napi::Value mask = js.Get("mask"); is_given(mask)) {
    const Napi::Uint8Array values = bytes_of(mask, "a Uint8Array for the mask");
    check_length(values.ElementLength(), "mask");
    owned->mask.assign(values.Data(), values.Data() + values.ElementLength());
    view.mask = owned->mask.data();
  }
  return owned;
}

metrics::MappedArray mapped_array_of(const Napi::Object& js) {
  const double offset = number_of(js, "offset");
  check_input(offset >= 0 && offset < 0x1p53, "E_USAGE", "offset ", offset, " is no place in a file");
  return {string_of(js, "path"), static_cast<uint64_t>(offset)};
}

metrics::MappedSet mapped_set_of(const Napi::Object& js) {
  metrics::MappedSet set;
  set.maps = mapped_array_of(object_of(js, "maps"));
  if (is_given(js.Get("masks"))) set.masks = mapped_array_of(object_of(js, "masks"));
  set.count = static_cast<int64_t>(number_of(js, "count"));
  set.height = static_cast<int64_t>(number_of(js, "height"));
  set.width = static_cast<int64_t>(number_of(js, "width"));
  if (const Napi::Value scores = js.Get("scores"); is_given(scores)) {
    const auto values =
        typed_array_of<Napi::Float64Array>(scores, napi_float64_array, "a Float64Array for the scores");
    set.scores.assign(values.Data(), values.Data() + values.ElementLength());
  }
  if (const Napi::Value labels = js.Get("labels"); is_given(labels)) {
    const Napi::Uint8Array values = bytes_of(labels, "a Uint8Array for the labels");
    set.labels.assign(values.Data(), values.Data() + values.ElementLength());
  }
  return set;
}

metrics::EvaluateOptions options_of(const Napi::Object& js) {
  metrics::EvaluateOptions options;
  options.limits.clear();
  const auto limits = object_of(js, "limits").As<Napi::Array>();
  for (uint32_t i = 0; i < limits.Length(); ++i)
    options.limits.push_back(limits.Get(i).ToNumber().DoubleValue());
  options.threshold = optional_number(js, "threshold");
  options.map_threshold = optional_number(js, "mapThreshold");
  options.curve_points = static_cast<size_t>(number_of(js, "curvePoints"));
  options.histogram_bins = static_cast<size_t>(number_of(js, "histogramBins"));
  return options;
}

Napi::Value nothing(Napi::Env env, bool&) { return env.Undefined(); }

Napi::Value add(const Napi::CallbackInfo& call, const EvaluatorSlot& slot) {
  const std::shared_ptr<Evaluator> evaluator = alive(slot);
  const std::string class_name = call[0].ToString().Utf8Value();
  const std::shared_ptr<OwnedPicture> picture = owned_picture_of(call[1].As<Napi::Object>());
  return run_async(
      call.Env(), io_threads(),
      [=] {
        evaluator->add(class_name, picture->view);
        return true;
      },
      nothing);
}

Napi::Value add_mapped(const Napi::CallbackInfo& call, const EvaluatorSlot& slot) {
  const std::shared_ptr<Evaluator> evaluator = alive(slot);
  const std::string class_name = call[0].ToString().Utf8Value();
  const metrics::MappedSet set = mapped_set_of(call[1].As<Napi::Object>());
  return run_async(
      call.Env(), io_threads(),
      [=] {
        evaluator->add_mapped(class_name, set);
        return true;
      },
      nothing);
}

Napi::Value finish_class(const Napi::CallbackInfo& call, const EvaluatorSlot& slot) {
  const std::shared_ptr<Evaluator> evaluator = alive(slot);
  const std::string class_name = call[0].ToString().Utf8Value();
  return run_async(
      call.Env(), io_threads(), [=] { return evaluator->finish_class(class_name); },
      [](Napi::Env env, metrics::ClassResult& result) { return class_result_to_js(env, result); });
}

Napi::Value create_metric_evaluator(const Napi::CallbackInfo& call) {
  return guarded(call, [&]() -> Napi::Value {
    const Napi::Env env = call.Env();
    const Napi::Object js = call[0].As<Napi::Object>();
    const auto threads = static_cast<int>(number_of(js, "threads"));
    const auto slot =
        std::make_shared<std::shared_ptr<Evaluator>>(std::make_shared<Evaluator>(options_of(js), threads));
    Napi::Object evaluator = Napi::Object::New(env);
    const auto set = [&](const char* name,
                         Napi::Value (*method)(const Napi::CallbackInfo&, const EvaluatorSlot&)) {
      const auto bound = [slot, method](const Napi::CallbackInfo& info) {
        return guarded(info, [&] { return method(info, slot); });
      };
      evaluator.Set(name, Napi::Function::New(env, bound, name));
    };
    set("add", add);
    set("addMapped", add_mapped);
    set("finishClass", finish_class);
    set("dispose", [](const Napi::CallbackInfo& info, const EvaluatorSlot& emptied) -> Napi::Value {
      *emptied = nullptr;
      return info.Env().Undefined();
    });
    return evaluator;
  });
}

// Pictures, draws, limit, threads -> k_drawn_figures numbers for each draw.
Napi::Value figures_of_draws(const Napi::CallbackInfo& call) {
  return guarded(call, [&] {
    const auto list = call[0].As<Napi::Array>();
    auto pictures = std::make_shared<std::vector<std::shared_ptr<OwnedPicture>>>();
    for (uint32_t i = 0; i < list.Length(); ++i) {
      pictures->push_back(owned_picture_of(list.Get(i).As<Napi::Object>()));
    }
    const auto drawn = call[1].As<Napi::Array>();
    auto draws = std::make_shared<std::vector<std::vector<uint32_t>>>();
    for (uint32_t i = 0; i < drawn.Length(); ++i) {
      const auto times =
          typed_array_of<Napi::Uint32Array>(drawn.Get(i), napi_uint32_array, "a Uint32Array for each draw");
      draws->emplace_back(times.Data(), times.Data() + times.ElementLength());
    }
    const double limit = call[2].ToNumber().DoubleValue();
    const int threads = call[3].ToNumber().Int32Value();
    return run_async(
        call.Env(), io_threads(),
        [=] {
          metrics::DrawnPictures all;
          for (auto& picture : *pictures) {
            all.add(picture->view);
            picture.reset();
          }
          return all.figures(*draws, limit, threads > 0 ? threads : physical_cores());
        },
        [](Napi::Env env, std::vector<metrics::DrawnFigures>& found) -> Napi::Value {
          auto js = Napi::Float64Array::New(env, found.size() * metrics::k_drawn_figures);
          for (size_t i = 0; i < found.size(); ++i) {
            std::copy(found[i].begin(), found[i].end(), js.Data() + i * metrics::k_drawn_figures);
          }
          return js;
        });
  });
}

}  // namespace

void add_metric_functions(Napi::Env env, Napi::Object exports) {
  exports.Set("createMetricEvaluator",
              Napi::Function::New<create_metric_evaluator>(env, "createMetricEvaluator"));
  exports.Set("figuresOfDraws", Napi::Function::New<figures_of_draws>(env, "figuresOfDraws"));
}

}  // namespace crane::bindings
