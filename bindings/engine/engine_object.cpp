#include "engine_object.h"

#include "arguments.h"
#include "async_task.h"

namespace crane::bindings {
namespace {

using Keep = std::vector<Napi::Reference<Napi::Value>>;

// Constructors of the classes below, one pair per environment, kept as properties nobody else sees.
Napi::FunctionReference& constructor_slot(Napi::Env, int which) {
  thread_local Napi::FunctionReference slots[2];
  return slots[which];
}
constexpr int k_engine_slot = 0;
constexpr int k_cancel_slot = 1;

template <typename Function>
Napi::Value guarded(const Napi::CallbackInfo& info, Function function) {
  try {
    return function();
  } catch (const Napi::Error&) {
    throw;
  } catch (...) {
    throw to_js_error(info.Env(), as_crane_error(std::current_exception()));
  }
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

// The values as an array that JavaScript owns.
Napi::Float32Array float_array(Napi::Env env, std::vector<float>&& values) {
  Napi::Float32Array js = Napi::Float32Array::New(env, values.size());
  std::copy(values.begin(), values.end(), js.Data());
  return js;
}

Napi::Value outcomes_to_js(Napi::Env env, std::vector<ScoreOutcome>& outcomes) {
  Napi::Array list = Napi::Array::New(env, outcomes.size());
  for (uint32_t i = 0; i < outcomes.size(); ++i) {
    ScoreOutcome& outcome = outcomes[i];
    Napi::Object js = Napi::Object::New(env);
    js.Set("score", outcome.score);
    js.Set("fusedScore", outcome.fused_score);
    js.Set("mapMax", outcome.map_max);
    if (!outcome.map.empty()) {
      Napi::Object map = Napi::Object::New(env);
      map.Set("data", float_array(env, std::move(outcome.map)));
      map.Set("width", static_cast<double>(outcome.map_width));
      map.Set("height", static_cast<double>(outcome.map_height));
      js.Set("map", map);
    }
    Napi::Object ms = Napi::Object::New(env);
    ms.Set("preprocess", outcome.preprocess_ms);
    ms.Set("forward", outcome.forward_ms);
    ms.Set("postprocess", outcome.postprocess_ms);
    js.Set("ms", ms);
    list.Set(i, js);
  }
  return list;
}

Napi::Value stages_to_js(Napi::Env env, TracedStages& stages) {
  Napi::Object js = Napi::Object::New(env);
  for (auto& [name, stage] : stages) {
    Napi::Object entry = Napi::Object::New(env);
    Napi::Array shape = Napi::Array::New(env, stage.shape.size());
    for (uint32_t i = 0; i < stage.shape.size(); ++i) shape.Set(i, static_cast<double>(stage.shape[i]));
    entry.Set("shape", shape);
    entry.Set("data", float_array(env, std::move(stage.data)));
    js.Set(name, entry);
  }
  return js;
}

// The floats of a Float32Array with exactly `count` entries.
const float* floats_of(const Napi::Value& value, int64_t count, const char* what) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_float32_array) {
    throw Napi::TypeError::New(value.Env(), join_text("expected a Float32Array for ", what));
  }
  const auto typed = value.As<Napi::Float32Array>();
  check_input(static_cast<int64_t>(typed.ElementLength()) == count, "E_IMAGE_SHAPE", what, " needs ", count,
              " values, got ", typed.ElementLength());
  return typed.Data();
}

int64_t input_count(const InputShape& shape) {
  constexpr int64_t k_max = int64_t{1} << 31;
  check_input(shape.batch > 0 && shape.height > 0 && shape.width > 0 && shape.batch < 65536 &&
                  shape.height < 65536 && shape.width < 65536 && shape.batch * shape.height < k_max &&
                  3 * shape.batch * shape.height * shape.width < k_max,
              "E_IMAGE_SHAPE", "a batch of ", shape.batch, " x 3 x ", shape.height, " x ", shape.width,
              " is no sensible input");
  return 3 * shape.batch * shape.height * shape.width;
}

std::shared_ptr<CancelToken> token_of(const Napi::Value& value) {
  if (!value.IsObject()) return nullptr;
  return CancelFlagObject::Unwrap(value.As<Napi::Object>())->token();
}

Napi::Reference<Napi::Value> keep_alive(const Napi::Value& value) {
  return Napi::Reference<Napi::Value>::New(value, 1);
}

}  // namespace

Napi::Function EngineObject::define(Napi::Env env) {
  Napi::Function constructor = DefineClass(
      env, "NativeEngine",
      {InstanceAccessor<&EngineObject::facts>("facts"),
       InstanceMethod<&EngineObject::add_prompts>("addPrompts"),
       InstanceMethod<&EngineObject::remove_prompts>("removePrompts"),
       InstanceMethod<&EngineObject::text_features>("textFeatures"),
       InstanceMethod<&EngineObject::score>("score"),
       InstanceMethod<&EngineObject::score_preprocessed>("scorePreprocessed"),
       InstanceMethod<&EngineObject::trace>("trace"), InstanceMethod<&EngineObject::trace_text>("traceText"),
       InstanceMethod<&EngineObject::begin_training>("beginTraining"),
       InstanceMethod<&EngineObject::train_step>("trainStep"),
       InstanceMethod<&EngineObject::training_state>("trainingState"),
       InstanceMethod<&EngineObject::end_training>("endTraining"),
       InstanceMethod<&EngineObject::dispose>("dispose")});
  constructor_slot(env, k_engine_slot) = Napi::Persistent(constructor);
  constructor_slot(env, k_engine_slot).SuppressDestruct();
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
          return constructor_slot(env, k_engine_slot).New({external});
        });
  });
}

std::shared_ptr<Engine> EngineObject::alive(Napi::Env env) const {
  if (!engine_) throw to_js_error(env, crane::Error("E_DISPOSED", "the engine was disposed"));
  return engine_;
}

Napi::Value EngineObject::facts(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const EngineFacts& facts = alive(env)->facts();
  Napi::Object js = Napi::Object::New(env);
  js.Set("patch", static_cast<double>(facts.patch));
  js.Set("vision", tower_facts(env, facts.vision));
  js.Set("text", tower_facts(env, facts.text));
  if (facts.source) js.Set("source", tower_facts(env, *facts.source));
  js.Set("jointWidth", static_cast<double>(facts.joint_width));
  js.Set("device", facts.device);
  js.Set("threads", facts.threads);
  js.Set("weightBytes", static_cast<double>(facts.weight_bytes));
  js.Set("workingBytes", static_cast<double>(facts.working_bytes));
  return js;
}

Napi::Value EngineObject::add_prompts(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    auto engine = alive(info.Env());
    const PromptFiles files = prompt_files_of(info[0].As<Napi::Object>());
    const ScoreOptions options = score_options_of(info[1].As<Napi::Object>());
    return run_async(
        info.Env(), compute_thread(),
        [engine, files, options] { return engine->add_prompts(files, options); },
        [](Napi::Env env, int64_t& handle) -> Napi::Value {
          return Napi::Number::New(env, static_cast<double>(handle));
        });
  });
}

void EngineObject::remove_prompts(const Napi::CallbackInfo& info) {
  if (engine_) engine_->remove_prompts(info[0].ToNumber().Int64Value());
}

Napi::Value EngineObject::text_features(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    return float_array(info.Env(), alive(info.Env())->text_features(info[0].ToNumber().Int64Value()));
  });
}

Napi::Value EngineObject::score(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    auto engine = alive(info.Env());
    const auto requests = info[0].As<Napi::Array>();
    auto items = std::make_shared<std::vector<ScoreItem>>();
    Keep keep;
    for (uint32_t i = 0; i < requests.Length(); ++i) {
      const Napi::Object request = requests.Get(i).As<Napi::Object>();
      const Napi::Object picture = object_of(request, "picture");
      ScoreItem item;
      item.picture = picture_of(picture);
      item.prompts = static_cast<int64_t>(number_of(request, "prompts"));
      const std::string fit = string_of(request, "fit");
      item.fit = fit == "pad" ? image::Fit::pad : fit == "tile" ? image::Fit::tile : image::Fit::stretch;
      item.tile_overlap = number_of(request, "tileOverlap");
      item.wants_map = boolean_of(request, "wantMap");
      items->push_back(item);
      keep.push_back(keep_alive(picture.Get("data")));
    }
    const ScoreOptions options = score_options_of(info[1].As<Napi::Object>());
    const auto cancel = token_of(info[2]);
    return run_async(
        info.Env(), compute_thread(),
        [engine, items, options, cancel] { return engine->score(*items, options, cancel.get()); },
        outcomes_to_js, std::move(keep));
  });
}

Napi::Value EngineObject::score_preprocessed(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    auto engine = alive(info.Env());
    const InputShape shape = input_shape_of(info[1].As<Napi::Object>());
    const float* input = floats_of(info[0], input_count(shape), "the preprocessed input");
    const int64_t prompts = info[2].ToNumber().Int64Value();
    const ScoreOptions options = score_options_of(info[3].As<Napi::Object>());
    const bool wants_map = info[4].ToBoolean().Value();
    const auto cancel = token_of(info[5]);
    Keep keep;
    keep.push_back(keep_alive(info[0]));
    return run_async(
        info.Env(), compute_thread(),
        [=] { return engine->score_preprocessed(input, shape, prompts, options, wants_map, cancel.get()); },
        outcomes_to_js, std::move(keep));
  });
}

Napi::Value EngineObject::trace(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    auto engine = alive(info.Env());
    const InputShape shape = input_shape_of(info[1].As<Napi::Object>());
    const float* input = floats_of(info[0], input_count(shape), "the preprocessed input");
    const int64_t prompts = info[2].ToNumber().Int64Value();
    const ScoreOptions options = score_options_of(info[3].As<Napi::Object>());
    Keep keep;
    keep.push_back(keep_alive(info[0]));
    return run_async(
        info.Env(), compute_thread(), [=] { return engine->trace(input, shape, prompts, options); },
        stages_to_js, std::move(keep));
  });
}

Napi::Value EngineObject::trace_text(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    auto engine = alive(info.Env());
    const PromptFiles files = prompt_files_of(info[0].As<Napi::Object>());
    const ScoreOptions options = score_options_of(info[1].As<Napi::Object>());
    const text::Guidance guidance = guidance_of(info[2].ToString().Utf8Value());
    std::vector<float> features;
    if (info[3].IsTypedArray() && info[3].As<Napi::TypedArray>().TypedArrayType() == napi_float32_array) {
      const auto typed = info[3].As<Napi::Float32Array>();
      features.assign(typed.Data(), typed.Data() + typed.ElementLength());
    }
    return run_async(
        info.Env(), compute_thread(), [=] { return engine->trace_text(files, options, guidance, features); },
        stages_to_js);
  });
}

Napi::Value EngineObject::begin_training(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    auto engine = alive(info.Env());
    const PromptFiles files = prompt_files_of(info[0].As<Napi::Object>());
    const train::TrainOptions options = train_options_of(info[1].As<Napi::Object>());
    return run_async(
        info.Env(), compute_thread(), [=] { return engine->begin_training(files, options); },
        [](Napi::Env env, int64_t& handle) -> Napi::Value {
          return Napi::Number::New(env, static_cast<double>(handle));
        });
  });
}

Napi::Value EngineObject::train_step(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    auto engine = alive(info.Env());
    const int64_t training = info[0].ToNumber().Int64Value();
    const Napi::Object js = info[1].As<Napi::Object>();
    const InputShape shape = input_shape_of(info[2].As<Napi::Object>());
    TrainBatch batch;
    batch.input = floats_of(js.Get("input"), input_count(shape), "the training input");
    const auto is_kind = [](const Napi::Value& value, napi_typedarray_type kind) {
      return value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == kind;
    };
    if (!is_kind(js.Get("masks"), napi_uint8_array))
      throw Napi::TypeError::New(info.Env(), "masks: a Uint8Array");
    if (!is_kind(js.Get("labels"), napi_int32_array))
      throw Napi::TypeError::New(info.Env(), "labels: an Int32Array");
    const auto masks = js.Get("masks").As<Napi::Uint8Array>();
    check_input(static_cast<int64_t>(masks.ElementLength()) == shape.batch * shape.height * shape.width,
                "E_IMAGE_SHAPE", "the masks need ", shape.batch * shape.height * shape.width, " values, got ",
                masks.ElementLength());
    batch.masks = masks.Data();
    const auto labels = js.Get("labels").As<Napi::Int32Array>();
    check_input(static_cast<int64_t>(labels.ElementLength()) == shape.batch, "E_IMAGE_SHAPE",
                "the labels need ", shape.batch, " values, got ", labels.ElementLength());
    const std::vector<int64_t> wide(labels.Data(), labels.Data() + labels.ElementLength());
    for (const int64_t label : wide)
      check_input(label == 0 || label == 1, "E_IMAGE_SHAPE", "a label is ", label);
    const ScoreOptions options = score_options_of(info[3].As<Napi::Object>());
    const bool wants_stages = info[4].ToBoolean().Value();
    Keep keep;
    keep.push_back(keep_alive(js.Get("input")));
    keep.push_back(keep_alive(masks));
    struct Done {
      train::StepLosses losses;
      TracedStages stages;
    };
    return run_async(
        info.Env(), compute_thread(),
        [=]() {
          Done done;
          TrainBatch own = batch;
          own.labels = wide.data();
          done.losses =
              engine->train_step(training, own, shape, options, wants_stages ? &done.stages : nullptr);
          return done;
        },
        [](Napi::Env env, Done& done) -> Napi::Value {
          Napi::Object result = Napi::Object::New(env);
          result.Set("focal", done.losses.focal);
          result.Set("dice", done.losses.dice);
          result.Set("image", done.losses.image);
          result.Set("total", done.losses.total);
          result.Set("stages", stages_to_js(env, done.stages));
          return result;
        },
        std::move(keep));
  });
}

Napi::Value EngineObject::training_state(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    auto engine = alive(info.Env());
    const int64_t training = info[0].ToNumber().Int64Value();
    return run_async(
        info.Env(), compute_thread(), [=] { return engine->training_state(training); }, stages_to_js);
  });
}

Napi::Value EngineObject::end_training(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    auto engine = alive(info.Env());
    const int64_t training = info[0].ToNumber().Int64Value();
    return run_async(
        info.Env(), compute_thread(),
        [=] {
          engine->end_training(training);
          return true;
        },
        [](Napi::Env env, bool&) -> Napi::Value { return env.Undefined(); });
  });
}

Napi::Value EngineObject::dispose(const Napi::CallbackInfo& info) {
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
}

Napi::Function CancelFlagObject::define(Napi::Env env) {
  Napi::Function constructor =
      DefineClass(env, "CancelFlag", {InstanceMethod<&CancelFlagObject::cancel>("cancel")});
  constructor_slot(env, k_cancel_slot) = Napi::Persistent(constructor);
  constructor_slot(env, k_cancel_slot).SuppressDestruct();
  return constructor;
}

CancelFlagObject::CancelFlagObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<CancelFlagObject>(info) {}

Napi::Value CancelFlagObject::cancel(const Napi::CallbackInfo& info) {
  token_->cancel();
  return info.Env().Undefined();
}

}  // namespace crane::bindings
