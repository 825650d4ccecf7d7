#include "bench_functions.h"

#include "arguments.h"
#include "async_task.h"
#include "engine/gemm_peak.h"
#include "results.h"

namespace crane::bindings {
namespace {

Napi::Value time_gemm_of(const Napi::CallbackInfo& call) {
  return guarded(call, [&] {
    const GemmRequest request{call[0].ToNumber().Int64Value(), call[1].ToNumber().Int64Value(),
                              precision_of(call[2].ToString()), call[3].ToString()};
    return run_async(
        call.Env(), compute_thread(), [request] { return time_gemm(request); },
        [](Napi::Env env, GemmTime& time) -> Napi::Value {
          Napi::Object js = Napi::Object::New(env);
          js.Set("seconds", time.seconds);
          js.Set("cpuSeconds", time.cpu_seconds);
          return js;
        });
  });
}

}  // namespace

void add_bench_functions(Napi::Env env, Napi::Object exports) {
  exports.Set("timeGemm", Napi::Function::New<time_gemm_of>(env, "timeGemm"));
}

}  // namespace crane::bindings
