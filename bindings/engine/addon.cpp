// The engine addon: NativeAddon of src/addon/native.ts.
#include <napi.h>
#include <torch/headeronly/version.h>

#include "arguments.h"
#include "async_task.h"
#include "bench_functions.h"
#include "bootstrap_functions.h"
#include "engine_object.h"
#include "image_functions.h"
#include "kernels/choice.h"
#include "mask_functions.h"
#include "metric_functions.h"
#include "results.h"
#include "tensors/shared_tensors.h"
#include "training_functions.h"
#include "training_object.h"
#include "weight_functions.h"

namespace crane::bindings {
namespace {

Napi::Value info(const Napi::CallbackInfo& call) {
  return guarded(call, [&]() -> Napi::Value {
    return run_async(
        call.Env(), compute_thread(),
        [] { return std::pair(available_devices(), kernels::chosen_kernels()); },
        [](Napi::Env env, std::pair<std::vector<std::string>, std::string>& found) -> Napi::Value {
          const auto& [devices, kernels] = found;
          Napi::Object js = Napi::Object::New(env);
          js.Set("version", CRANE_VERSION);
          js.Set("libtorch", TORCH_VERSION);
          js.Set("libtorchBuildId", CRANE_LIBTORCH_BUILD_ID);
#ifdef CRANE_WITH_CUDA
          js.Set("cuda", true);
#else
          js.Set("cuda", false);
#endif
          js.Set("isa", std::string(isa_name(usable_isa())));
          js.Set("kernels", kernels);
          Napi::Array precisions = Napi::Array::New(env);
          for (const Precision precision : kernels::listed_precisions()) {
            if (!kernels::can_multiply_in(precision)) continue;
            precisions.Set(precisions.Length(), std::string(precision_name(precision)));
          }
          js.Set("precisions", precisions);
          Napi::Array list = Napi::Array::New(env, devices.size());
          for (uint32_t i = 0; i < devices.size(); ++i) list.Set(i, devices[i]);
          js.Set("devices", list);
          const SharedTensors shared = shared_tensors();
          Napi::Object held = Napi::Object::New(env);
          held.Set("tensors", static_cast<double>(shared.tensors));
          held.Set("bytes", static_cast<double>(shared.bytes));
          js.Set("sharedWeights", held);
          return js;
        });
  });
}

Napi::Value set_threads(const Napi::CallbackInfo& call) {
  return guarded(call, [&]() -> Napi::Value {
    const int threads = call[0].ToNumber().Int32Value();
    return run_async(
        call.Env(), compute_thread(), [threads] { return set_compute_threads(threads); },
        [](Napi::Env env, int& count) -> Napi::Value { return Napi::Number::New(env, count); });
  });
}

Napi::Value method_facts(const Napi::CallbackInfo& call) {
  return guarded(call, [&]() -> Napi::Value {
    const Napi::Env env = call.Env();
    const MethodFacts facts = facts_of(*score_options_of(call[0].As<Napi::Object>()).method);
    Napi::Object js = Napi::Object::New(env);
    Napi::Array parts = Napi::Array::New(env, facts.parts.size());
    for (uint32_t i = 0; i < facts.parts.size(); ++i) parts.Set(i, facts.parts[i]);
    js.Set("parts", parts);
    js.Set("couplesPictures", facts.couples_pictures);
    js.Set("isRecordable", facts.is_recordable);
    js.Set("mayBeNan", facts.may_be_nan);
    return js;
  });
}

Napi::Value create_cancel_flag(const Napi::CallbackInfo& call) {
  return call.This().As<Napi::Object>().Get("CancelFlag").As<Napi::Function>().New({});
}

Napi::Value shut_down_now(const Napi::CallbackInfo& call) {
  shut_down();
  return call.Env().Undefined();
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new TaskLedger(env));
  exports.Set("NativeEngine", EngineObject::define(env));
  exports.Set("NativeTraining", TrainingObject::define(env));
  exports.Set("CancelFlag", CancelFlagObject::define(env));
  exports.Set("info", Napi::Function::New<info>(env, "info"));
  exports.Set("setThreads", Napi::Function::New<set_threads>(env, "setThreads"));
  exports.Set("methodFacts", Napi::Function::New<method_facts>(env, "methodFacts"));
  exports.Set("openEngine", Napi::Function::New<EngineObject::open>(env, "openEngine"));
  exports.Set("createCancelFlag", Napi::Function::New<create_cancel_flag>(env, "createCancelFlag"));
  exports.Set("shutDown", Napi::Function::New<shut_down_now>(env, "shutDown"));
  add_bench_functions(env, exports);
  add_image_functions(env, exports);
  add_mask_functions(env, exports);
  add_training_functions(env, exports);
  add_weight_functions(env, exports);
  add_metric_functions(env, exports);
  add_bootstrap_functions(env, exports);
  return exports;
}

}  // namespace
}  // namespace crane::bindings

Napi::Object init_addon(Napi::Env env, Napi::Object exports) { return crane::bindings::init(env, exports); }
NODE_API_MODULE(crane_engine, init_addon)
