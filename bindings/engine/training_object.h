// NativeTraining of src/addon/training.ts.
#pragma once

#include <napi.h>

#include <memory>

#include "engine/training.h"

namespace crane::bindings {

// JavaScript thread: the wrapper. Compute thread: everything behind `training_`.
class TrainingObject : public Napi::ObjectWrap<TrainingObject> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit TrainingObject(const Napi::CallbackInfo& info);

  // engine.beginTraining(start, method, settings): Promise<NativeTraining>
  static Napi::Value begin(const Napi::CallbackInfo& info, std::shared_ptr<Engine> engine);

 private:
  Napi::Value step(const Napi::CallbackInfo& info);
  Napi::Value step_on_pictures(const Napi::CallbackInfo& info);
  Napi::Value state(const Napi::CallbackInfo& info);
  Napi::Value save(const Napi::CallbackInfo& info);
  Napi::Value write_checkpoint(const Napi::CallbackInfo& info);
  Napi::Value end(const Napi::CallbackInfo& info);

  // Throws E_DISPOSED as a JavaScript error.
  std::shared_ptr<Training> alive(Napi::Env env) const;

  std::shared_ptr<Training> training_;
};

}  // namespace crane::bindings
