#include "engine_object.h"

#include "arguments.h"
#include "async_task.h"
#include "engine/lanes.h"
#include "results.h"
#include "score_results.h"
#include "training_object.h"

namespace crane::bindings {
namespace {

// The environment's constructor of EngineObject.
Napi::FunctionReference& engine_constructor() {
  thread_local Napi::FunctionReference slot;
  return slot;
}

Napi::Object tower_facts(Napi::Env env, const TowerFacts& facts) {
  Napi::Object js = Napi::Object::New(env);
  js.Set("width", static_cast<double>(facts.width));
  js.Set("layers", static_cast<double>(facts.layers));
  js.Set("heads", static_cast<double>(facts.heads));
  js.Set("registers", static_cast<double>(facts.registers));
  js.Set("parameters", static_cast<double>(facts.parameters));
  return js;
}

Napi::Object vision_facts(Napi::Env env, const TowerFacts& facts) {
  Napi::Object js = tower_facts(env, facts);
  js.Set("packed", facts.packed);
  return js;
}

// References to what the material's pictures point into.
Keep kept_normals(const Napi::Object& material) {
  Keep keep;
  if (!material.Has("normals") || !material.Get("normals").IsArray()) return keep;
  const auto normals = material.Get("normals").As<Napi::Array>();
  for (uint32_t i = 0; i < normals.Length(); ++i) {
    keep.push_back(reference_to(normals.Get(i).As<Napi::Object>().Get("data")));
  }
  return keep;
}

std::shared_ptr<CancelToken> token_of(const Napi::Value& value) {
  if (!value.IsObject()) return nullptr;
  return CancelFlagObject::Unwrap(value.As<Napi::Object>())->token();
}

}  // namespace

Napi::Function EngineObject::define(Napi::Env env) {
  Napi::Function constructor =
      DefineClass(env, "NativeEngine",
                  {InstanceAccessor<&EngineObject::facts>("facts"),
                   InstanceMethod<&EngineObject::add_context>("addContext"),
                   InstanceMethod<&EngineObject::remove_context>("removeContext"),
                   InstanceMethod<&EngineObject::write_context>("writeContext"),
                   InstanceMethod<&EngineObject::left_out>("leftOut"),
                   InstanceMethod<&EngineObject::own_scores>("ownScores"),
                   InstanceMethod<&EngineObject::text_vectors>("textVectors"),
                   InstanceMethod<&EngineObject::score>("score"),
                   InstanceMethod<&EngineObject::score_preprocessed>("scorePreprocessed"),
                   InstanceMethod<&EngineObject::trace>("trace"),
                   InstanceMethod<&EngineObject::trace_context>("traceContext"),
                   InstanceMethod<&EngineObject::begin_training>("beginTraining"),
                   InstanceMethod<&EngineObject::feature_shape>("featureShape"),
                   InstanceMethod<&EngineObject::write_features>("writeFeatures"),
                   InstanceMethod<&EngineObject::dispose>("dispose")});
  engine_constructor() = Napi::Persistent(constructor);
  engine_constructor().SuppressDestruct();
  return constructor;
}

EngineObject::EngineObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<EngineObject>(info) {
  if (info.Length() != 1 || !info[0].IsExternal()) {
    throw Napi::TypeError::New(info.Env(), "engines are made by openEngine");
  }
  engine_ = *info[0].As<Napi::External<std::shared_ptr<Engine>>>().Data();
}

Napi::Value EngineObject::open(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    const EngineConfig config = engine_config_of(info[0].As<Napi::Object>());
    return run_async(
        info.Env(), compute_thread(), [config] { return std::make_shared<Engine>(config); },
        [](Napi::Env env, std::shared_ptr<Engine>& engine) -> Napi::Value {
          const auto external = Napi::External<std::shared_ptr<Engine>>::New(env, &engine);
          return engine_constructor().New({external});
        });
  });
}

std::shared_ptr<Engine> EngineObject::alive(Napi::Env env) const {
  if (!engine_) throw to_js_error(env, crane::Error("E_DISPOSED", "the engine was disposed"));
  return engine_;
}

Napi::Value EngineObject::facts(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    const Napi::Env env = info.Env();
    const EngineFacts& facts = alive(env)->facts();
    Napi::Object js = Napi::Object::New(env);
    js.Set("patch", static_cast<double>(facts.patch));
    js.Set("vision", vision_facts(env, facts.vision));
    js.Set("text", tower_facts(env, facts.text));
    if (facts.source) js.Set("source", vision_facts(env, *facts.source));
    js.Set("jointWidth", static_cast<double>(facts.joint_width));
    js.Set("device", facts.device);
    js.Set("precision", std::string(precision_name(facts.precision)));
    js.Set("kernels", facts.kernels);
    js.Set("threads", facts.threads);
    js.Set("lanes", facts.lanes);
    if (!facts.packed_failure.empty()) js.Set("packedFailure", facts.packed_failure);
    js.Set("weightBytes", static_cast<double>(facts.weight_bytes));
    js.Set("workingBytes", static_cast<double>(facts.working_bytes));
    return js;
  });
}

Napi::Value EngineObject::add_context(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    auto engine = alive(info.Env());
    const Napi::Object js = info[0].As<Napi::Object>();
    const methods::Material material = material_of(js);
    const ScoreOptions options = score_options_of(info[1].As<Napi::Object>());
    return run_async(
        info.Env(), compute_thread(),
        [engine, material, options] { return engine->add_context(material, options); },
        [](Napi::Env env, int64_t& handle) -> Napi::Value {
          return Napi::Number::New(env, static_cast<double>(handle));
        },
        kept_normals(js));
  });
}

void EngineObject::remove_context(const Napi::CallbackInfo& info) {
  guarded(info, [&]() -> Napi::Value {
    if (engine_) engine_->remove_context(info[0].ToNumber().Int64Value());
    return info.Env().Undefined();
  });
}

Napi::Value EngineObject::write_context(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    auto engine = alive(info.Env());
    const int64_t handle = info[0].ToNumber().Int64Value();
    const std::string path = info[1].ToString().Utf8Value();
    const auto metadata = string_map_of(info[2]);
    return run_async(
        info.Env(), compute_thread(),
        [=] {
          engine->write_context(handle, path, metadata);
          return true;
        },
        [](Napi::Env env, bool&) -> Napi::Value { return env.Undefined(); });
  });
}

Napi::Value EngineObject::left_out(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    const Napi::Env env = info.Env();
    const auto counts = alive(env)->left_out(info[0].ToNumber().Int64Value());
    Napi::Array list = Napi::Array::New(env, counts.size());
    for (uint32_t i = 0; i < counts.size(); ++i) {
      Napi::Object js = Napi::Object::New(env);
      js.Set("leftOut", static_cast<double>(counts[i].left_out));
      js.Set("patches", static_cast<double>(counts[i].patches));
      list.Set(i, js);
    }
    return list;
  });
}

Napi::Value EngineObject::own_scores(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    auto engine = alive(info.Env());
    const int64_t handle = info[0].ToNumber().Int64Value();
    const ScoreOptions options = score_options_of(info[1].As<Napi::Object>());
    const auto cancel = token_of(info[2]);
    return run_async(
        info.Env(), compute_thread(), [=] { return engine->own_scores(handle, options, cancel.get()); },
        [options](Napi::Env env, std::vector<ScoreOutcome>& outcomes) {
          std::vector<ScoreItem> items(outcomes.size());
          for (size_t i = 0; i < items.size(); ++i) items[i].wants_map = !outcomes[i].map.empty();
          ScoreResults results(options, std::move(items));
          results.take(env, outcomes);
          results.fill(outcomes);  // one map at most, and only copied: it stays in the model's size
          return results(env, outcomes);
        });
  });
}

Napi::Value EngineObject::text_vectors(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    auto engine = alive(info.Env());
    const int64_t handle = info[0].ToNumber().Int64Value();
    return run_async(
        info.Env(), compute_thread(), [engine, handle] { return engine->text_vectors(handle); },
        [](Napi::Env env, std::vector<float>& features) -> Napi::Value {
          return float_array(env, features);
        });
  });
}

Napi::Value EngineObject::score(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    auto engine = alive(info.Env());
    const auto requests = info[0].As<Napi::Array>();
    std::vector<ScoreItem> items;
    Keep keep;
    for (uint32_t i = 0; i < requests.Length(); ++i) {
      const Napi::Object request = requests.Get(i).As<Napi::Object>();
      const Napi::Object picture = object_of(request, "picture");
      ScoreItem item;
      item.picture = picture_of(picture);
      item.context = static_cast<int64_t>(number_of(request, "context"));
      item.fit = fit_of(request);
      item.tile_overlap = number_of(request, "tileOverlap");
      item.wants_map = boolean_of(request, "wantMap");
      if (request.Has("mapInPictureSize")) item.map_in_picture_size = boolean_of(request, "mapInPictureSize");
      if (request.Has("regionsAt")) item.regions_at = number_of(request, "regionsAt");
      if (request.Has("heat")) {
        const Napi::Object heat = object_of(request, "heat");
        item.heat = HeatRange{number_of(heat, "low"), number_of(heat, "high")};
      }
      items.push_back(item);
      keep.push_back(reference_to(picture.Get("data")));
    }
    const ScoreOptions options = score_options_of(info[1].As<Napi::Object>());
    const auto cancel = token_of(info[2]);
    const auto job = engine->begin_score(items, options);
    if (cancel) CancelFlagObject::Unwrap(info[2].As<Napi::Object>())->follow(views_of(*job));
    const auto scored_on = [&](auto& threads) {
      return run_async_delivered(
          info.Env(), threads,
          [engine, job, options, cancel] { return engine->score(*job, options, cancel.get()); }, io_threads(),
          ScoreResults(options, items), std::move(keep));
    };
    const auto lanes = engine->lanes(options);
    return lanes ? scored_on(*lanes) : scored_on(compute_thread());
  });
}

Napi::Value EngineObject::score_preprocessed(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    auto engine = alive(info.Env());
    const InputShape shape = input_shape_of(info[1].As<Napi::Object>());
    const float* input = floats_of(info[0], input_count(shape), "the preprocessed input");
    const int64_t context = info[2].ToNumber().Int64Value();
    const ScoreOptions options = score_options_of(info[3].As<Napi::Object>());
    const bool wants_map = info[4].ToBoolean().Value();
    const auto cancel = token_of(info[5]);
    Keep keep;
    keep.push_back(reference_to(info[0]));
    ScoreItem item;
    item.wants_map = wants_map;
    return run_async_delivered(
        info.Env(), compute_thread(),
        [=] { return engine->score_preprocessed(input, shape, context, options, wants_map, cancel.get()); },
        io_threads(), ScoreResults(options, std::vector(static_cast<size_t>(shape.batch), item)),
        std::move(keep));
  });
}

Napi::Value EngineObject::trace(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    auto engine = alive(info.Env());
    const InputShape shape = input_shape_of(info[1].As<Napi::Object>());
    const float* input = floats_of(info[0], input_count(shape), "the preprocessed input");
    const int64_t context = info[2].ToNumber().Int64Value();
    const ScoreOptions options = score_options_of(info[3].As<Napi::Object>());
    Keep keep;
    keep.push_back(reference_to(info[0]));
    return run_async(
        info.Env(), compute_thread(), [=] { return engine->trace(input, shape, context, options); },
        stages_to_js, std::move(keep));
  });
}

Napi::Value EngineObject::trace_context(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    auto engine = alive(info.Env());
    const methods::Material material = material_of(info[0].As<Napi::Object>());
    const ScoreOptions options = score_options_of(info[1].As<Napi::Object>());
    std::vector<float> guidance;
    if (info[2].IsTypedArray() && info[2].As<Napi::TypedArray>().TypedArrayType() == napi_float32_array) {
      const auto typed = info[2].As<Napi::Float32Array>();
      guidance.assign(typed.Data(), typed.Data() + typed.ElementLength());
    }
    return run_async(
        info.Env(), compute_thread(), [=] { return engine->trace_context(material, options, guidance); },
        stages_to_js);
  });
}

Napi::Value EngineObject::begin_training(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value { return TrainingObject::begin(info, alive(info.Env())); });
}

Napi::Value EngineObject::feature_shape(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    const Napi::Env env = info.Env();
    const FeatureFacts shape = alive(env)->feature_shape(score_options_of(info[0].As<Napi::Object>()));
    Napi::Object grid = Napi::Object::New(env);
    grid.Set("width", static_cast<double>(shape.grid_width));
    grid.Set("height", static_cast<double>(shape.grid_height));
    Napi::Object js = Napi::Object::New(env);
    Napi::Array tensors = Napi::Array::New(env, shape.tensors.size());
    for (uint32_t i = 0; i < shape.tensors.size(); ++i) {
      const auto& [name, sizes] = shape.tensors[i];
      Napi::Array axes = Napi::Array::New(env, sizes.size());
      for (uint32_t axis = 0; axis < sizes.size(); ++axis) axes.Set(axis, static_cast<double>(sizes[axis]));
      Napi::Object tensor = Napi::Object::New(env);
      tensor.Set("name", name);
      tensor.Set("shape", axes);
      tensors.Set(i, tensor);
    }
    js.Set("tensors", tensors);
    js.Set("grid", grid);
    return js;
  });
}

Napi::Value EngineObject::write_features(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    auto engine = alive(info.Env());
    const auto pictures = info[0].As<Napi::Array>();
    auto items = std::make_shared<std::vector<FeatureItem>>();
    Keep keep;
    for (uint32_t i = 0; i < pictures.Length(); ++i) {
      const Napi::Object js = pictures.Get(i).As<Napi::Object>();
      const Napi::Object picture = object_of(js, "picture");
      items->push_back({picture_of(picture), string_of(js, "path"), mask_cells_of(js.Get("masks"))});
      keep.push_back(reference_to(picture.Get("data")));
    }
    const std::string precision = info[1].ToString().Utf8Value();
    check_input(precision == "f16" || precision == "f32", "E_USAGE", "precision \"", precision,
                "\" is none of f16, f32");
    const ScoreOptions options = score_options_of(info[2].As<Napi::Object>());
    const auto cancel = token_of(info[3]);
    return run_async(
        info.Env(), compute_thread(),
        [=] {
          engine->write_features(*items, precision == "f16", options, cancel.get());
          return true;
        },
        [](Napi::Env env, bool&) -> Napi::Value { return env.Undefined(); }, std::move(keep));
  });
}

Napi::Value EngineObject::dispose(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    auto engine = std::move(engine_);
    engine_.reset();
    // Queued behind the work in flight, which holds its own share; the last one frees the weights.
    return run_async(
        info.Env(), compute_thread(),
        [engine = std::move(engine)]() mutable {
          engine.reset();
          return true;
        },
        [](Napi::Env env, bool&) -> Napi::Value { return env.Undefined(); });
  });
}

Napi::Function CancelFlagObject::define(Napi::Env env) {
  return DefineClass(env, "CancelFlag",
                     {InstanceMethod<&CancelFlagObject::cancel>("cancel"),
                      InstanceAccessor<&CancelFlagObject::views_done>("viewsDone")});
}

CancelFlagObject::CancelFlagObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<CancelFlagObject>(info) {}

Napi::Value CancelFlagObject::cancel(const Napi::CallbackInfo& info) {
  token_->cancel();
  return info.Env().Undefined();
}

Napi::Value CancelFlagObject::views_done(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), views_ ? static_cast<double>(views_->done()) : 0);
}

}  // namespace crane::bindings
