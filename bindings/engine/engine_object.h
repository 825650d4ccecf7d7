// NativeEngine of src/addon/engine.ts.
#pragma once

#include <napi.h>

#include <atomic>
#include <memory>
#include <utility>

#include "engine/engine.h"
#include "engine/view_count.h"

namespace crane::bindings {

// JavaScript thread: the wrapper. Compute thread: everything behind `engine_`.
class EngineObject : public Napi::ObjectWrap<EngineObject> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit EngineObject(const Napi::CallbackInfo& info);

  // openEngine(config): Promise<NativeEngine>
  static Napi::Value open(const Napi::CallbackInfo& info);

 private:
  Napi::Value facts(const Napi::CallbackInfo& info);
  Napi::Value add_context(const Napi::CallbackInfo& info);
  void remove_context(const Napi::CallbackInfo& info);
  Napi::Value write_context(const Napi::CallbackInfo& info);
  Napi::Value left_out(const Napi::CallbackInfo& info);
  Napi::Value own_scores(const Napi::CallbackInfo& info);
  Napi::Value text_vectors(const Napi::CallbackInfo& info);
  Napi::Value score(const Napi::CallbackInfo& info);
  Napi::Value score_preprocessed(const Napi::CallbackInfo& info);
  Napi::Value trace(const Napi::CallbackInfo& info);
  Napi::Value trace_context(const Napi::CallbackInfo& info);
  Napi::Value begin_training(const Napi::CallbackInfo& info);
  Napi::Value feature_shape(const Napi::CallbackInfo& info);
  Napi::Value write_features(const Napi::CallbackInfo& info);
  Napi::Value dispose(const Napi::CallbackInfo& info);

  // Throws E_DISPOSED as a JavaScript error.
  std::shared_ptr<Engine> alive(Napi::Env env) const;

  std::shared_ptr<Engine> engine_;
};

// CancelFlag of src/addon/engine.ts.
class CancelFlagObject : public Napi::ObjectWrap<CancelFlagObject> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit CancelFlagObject(const Napi::CallbackInfo& info);
  const std::shared_ptr<CancelToken>& token() const { return token_; }
  // From now on `viewsDone` tells of these.
  void follow(std::shared_ptr<const ViewCount> views) { views_ = std::move(views); }

 private:
  Napi::Value cancel(const Napi::CallbackInfo& info);
  Napi::Value views_done(const Napi::CallbackInfo& info);
  std::shared_ptr<CancelToken> token_ = std::make_shared<CancelToken>();
  std::shared_ptr<const ViewCount> views_;
};

}  // namespace crane::bindings
