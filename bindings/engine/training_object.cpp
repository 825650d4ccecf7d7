#include "training_object.h"

#include "arguments.h"
#include "async_task.h"
#include "results.h"

namespace crane::bindings {
namespace {

// The environment's constructor of the class below.
Napi::FunctionReference& constructor(Napi::Env) {
  thread_local Napi::FunctionReference slot;
  return slot;
}

bool is_kind(const Napi::Value& value, napi_typedarray_type kind) {
  return value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == kind;
}

void set_losses(Napi::Object js, const train::StepLosses& losses) {
  js.Set("focal", losses.focal);
  js.Set("dice", losses.dice);
  js.Set("image", losses.image);
  js.Set("total", losses.total);
}

std::vector<train::ExtraTensor> extra_of(const Napi::Object& js) {
  std::vector<train::ExtraTensor> all;
  const Napi::Array names = js.GetPropertyNames();
  for (uint32_t i = 0; i < names.Length(); ++i) {
    train::ExtraTensor& extra = all.emplace_back();
    extra.name = names.Get(i).ToString().Utf8Value();
    const Napi::Value value = js.Get(extra.name);
    extra.is_integer = is_kind(value, napi_int32_array);
    if (extra.is_integer) {
      const auto typed = value.As<Napi::Int32Array>();
      extra.integers.assign(typed.Data(), typed.Data() + typed.ElementLength());
    } else if (is_kind(value, napi_float64_array)) {
      const auto typed = value.As<Napi::Float64Array>();
      extra.doubles.assign(typed.Data(), typed.Data() + typed.ElementLength());
    } else {
      throw Napi::TypeError::New(js.Env(), extra.name + ": a Float64Array or an Int32Array");
    }
  }
  return all;
}

// Items whose masks are copied: JavaScript may change its arrays while the step runs. Pictures are not.
struct OwnedItems {
  std::vector<TrainItem> items;
  std::vector<std::vector<uint8_t>> masks;
  Keep keep;
};

// mask_size: pixels of the model's input.
std::shared_ptr<OwnedItems> items_of(const Napi::Value& value, int64_t mask_size) {
  if (!value.IsArray()) throw Napi::TypeError::New(value.Env(), "items: an array");
  const auto list = value.As<Napi::Array>();
  auto owned = std::make_shared<OwnedItems>();
  owned->masks.reserve(list.Length());
  for (uint32_t i = 0; i < list.Length(); ++i) {
    const Napi::Object js = list.Get(i).As<Napi::Object>();
    TrainItem& item = owned->items.emplace_back();
    item.is_anomalous = boolean_of(js, "isAnomalous");
    if (js.Get("className").IsString()) item.class_name = string_of(js, "className");
    if (js.Get("features").IsString()) {
      item.features = string_of(js, "features");
    } else {
      const Napi::Object picture = object_of(js, "picture");
      item.picture = picture_of(picture);
      owned->keep.push_back(reference_to(picture.Get("data")));
    }
    if (is_kind(js.Get("mask"), napi_uint8_array)) {
      const auto mask = js.Get("mask").As<Napi::Uint8Array>();
      check_input(static_cast<int64_t>(mask.ElementLength()) == mask_size, "E_IMAGE_SHAPE", "a mask needs ",
                  mask_size, " values, got ", mask.ElementLength());
      owned->masks.emplace_back(mask.Data(), mask.Data() + mask.ElementLength());
      item.mask = owned->masks.back().data();
    }
    if (js.Get("cells").IsString()) item.cells = string_of(js, "cells");
  }
  return owned;
}

Napi::Value nothing(Napi::Env env, bool&) { return env.Undefined(); }

}  // namespace

Napi::Function TrainingObject::define(Napi::Env env) {
  Napi::Function defined = DefineClass(
      env, "NativeTraining",
      {InstanceMethod<&TrainingObject::step>("step"),
       InstanceMethod<&TrainingObject::step_on_pictures>("stepOnPictures"),
       InstanceMethod<&TrainingObject::state>("state"), InstanceMethod<&TrainingObject::save>("save"),
       InstanceMethod<&TrainingObject::write_checkpoint>("writeCheckpoint"),
       InstanceMethod<&TrainingObject::end>("end")});
  constructor(env) = Napi::Persistent(defined);
  constructor(env).SuppressDestruct();
  return defined;
}

TrainingObject::TrainingObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<TrainingObject>(info) {
  if (info.Length() != 1 || !info[0].IsExternal()) {
    throw Napi::TypeError::New(info.Env(), "trainings are made by beginTraining");
  }
  training_ = *info[0].As<Napi::External<std::shared_ptr<Training>>>().Data();
}

Napi::Value TrainingObject::begin(const Napi::CallbackInfo& info, std::shared_ptr<Engine> engine) {
  return guarded(info, [&] {
    const methods::LearnerStart start = learner_start_of(info[0].As<Napi::Object>());
    const auto method = score_options_of(info[1].As<Napi::Object>()).method;
    const methods::Settings settings = settings_of(info[2].As<Napi::Object>());
    return run_async(
        info.Env(), compute_thread(),
        [engine = std::move(engine), method, start, settings] {
          return std::make_shared<Training>(engine, method, start, settings);
        },
        [](Napi::Env env, std::shared_ptr<Training>& training) -> Napi::Value {
          const auto external = Napi::External<std::shared_ptr<Training>>::New(env, &training);
          return constructor(env).New({external});
        });
  });
}

std::shared_ptr<Training> TrainingObject::alive(Napi::Env env) const {
  if (!training_) throw to_js_error(env, crane::Error("E_DISPOSED", "the training has ended"));
  return training_;
}

Napi::Value TrainingObject::step(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    auto training = alive(info.Env());
    const auto owned = items_of(info[0], training->input_pixels());
    Keep keep = std::move(owned->keep);
    return run_async(
        info.Env(), compute_thread(), [=] { return training->step(owned->items); },
        [](Napi::Env env, train::StepLosses& losses) -> Napi::Value {
          Napi::Object js = Napi::Object::New(env);
          set_losses(js, losses);
          return js;
        },
        std::move(keep));
  });
}

Napi::Value TrainingObject::step_on_pictures(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    auto training = alive(info.Env());
    const Napi::Object js = info[0].As<Napi::Object>();
    const InputShape shape = input_shape_of(info[1].As<Napi::Object>());
    TrainBatch batch;
    batch.input = floats_of(js.Get("input"), input_count(shape), "the training input");
    if (!is_kind(js.Get("masks"), napi_uint8_array)) {
      throw Napi::TypeError::New(info.Env(), "masks: a Uint8Array");
    }
    if (!is_kind(js.Get("labels"), napi_int32_array)) {
      throw Napi::TypeError::New(info.Env(), "labels: an Int32Array");
    }
    const auto masks = js.Get("masks").As<Napi::Uint8Array>();
    check_input(static_cast<int64_t>(masks.ElementLength()) == shape.batch * shape.height * shape.width,
                "E_IMAGE_SHAPE", "the masks need ", shape.batch * shape.height * shape.width, " values, got ",
                masks.ElementLength());
    batch.masks = masks.Data();
    const auto labels = js.Get("labels").As<Napi::Int32Array>();
    check_input(static_cast<int64_t>(labels.ElementLength()) == shape.batch, "E_IMAGE_SHAPE",
                "the labels need ", shape.batch, " values, got ", labels.ElementLength());
    const std::vector<int64_t> wide(labels.Data(), labels.Data() + labels.ElementLength());
    for (const int64_t label : wide) {
      check_input(label == 0 || label == 1, "E_IMAGE_SHAPE", "a label is ", label);
    }
    if (js.Has("classes") && js.Get("classes").IsArray()) {
      const auto classes = js.Get("classes").As<Napi::Array>();
      for (uint32_t i = 0; i < classes.Length(); ++i) {
        batch.classes.push_back(classes.Get(i).ToString().Utf8Value());
      }
    }
    const bool wants_stages = info[2].ToBoolean().Value();
    Keep keep;
    keep.push_back(reference_to(js.Get("input")));
    keep.push_back(reference_to(masks));
    struct Done {
      train::StepLosses losses;
      TracedStages stages;
    };
    return run_async(
        info.Env(), compute_thread(),
        [=] {
          Done done;
          TrainBatch own = batch;
          own.labels = wide.data();
          done.losses = training->step_on_pictures(own, shape, wants_stages ? &done.stages : nullptr);
          return done;
        },
        [](Napi::Env env, Done& done) -> Napi::Value {
          Napi::Object result = Napi::Object::New(env);
          set_losses(result, done.losses);
          result.Set("stages", stages_to_js(env, done.stages));
          return result;
        },
        std::move(keep));
  });
}

Napi::Value TrainingObject::state(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    auto training = alive(info.Env());
    return run_async(
        info.Env(), compute_thread(), [=] { return training->state(); }, stages_to_js);
  });
}

Napi::Value TrainingObject::save(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    auto training = alive(info.Env());
    const std::string path = info[0].ToString().Utf8Value();
    const auto extra = extra_of(info[1].As<Napi::Object>());
    const auto metadata = string_map_of(info[2]);
    return run_async(
        info.Env(), compute_thread(),
        [=] {
          training->save(path, extra, metadata);
          return true;
        },
        nothing);
  });
}

Napi::Value TrainingObject::write_checkpoint(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    auto training = alive(info.Env());
    const std::string path = info[0].ToString().Utf8Value();
    const std::string format = info[1].ToString().Utf8Value();
    check_input(format == "pth" || format == "safetensors", "E_USAGE", "format \"", format,
                "\" is none of pth, safetensors");
    const auto metadata = string_map_of(info[2]);
    return run_async(
        info.Env(), compute_thread(),
        [=] {
          training->write_checkpoint(path, format == "pth", metadata);
          return true;
        },
        nothing);
  });
}

Napi::Value TrainingObject::end(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    auto training = std::move(training_);
    training_.reset();
    // Queued behind the steps in flight, which hold their own share.
    return run_async(
        info.Env(), compute_thread(),
        [training = std::move(training)]() mutable {
          training.reset();
          return true;
        },
        nothing);
  });
}

}  // namespace crane::bindings
